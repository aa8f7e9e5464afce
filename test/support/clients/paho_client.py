"""Clients of paho: commands as JSON lines on stdin, what happens as JSON lines on stdout; `as` numbers the clients."""
import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

lock = threading.Lock()


def say(number, **event):
    with lock:
        print(json.dumps({"as": number, **event}), flush=True)


def message_properties(given):
    properties = Properties(PacketTypes.PUBLISH)
    for ours, name in (("contentType", "ContentType"), ("responseTopic", "ResponseTopic"),
                       ("payloadFormat", "PayloadFormatIndicator"), ("topicAlias", "TopicAlias")):
        if ours in given:
            setattr(properties, name, given[ours])
    if "correlationData" in given:
        properties.CorrelationData = given["correlationData"].encode()
    if "user" in given:
        properties.UserProperty = [tuple(pair) for pair in given["user"]]
    return properties


def received_properties(properties):
    given = {}
    for ours, name in (("contentType", "ContentType"), ("responseTopic", "ResponseTopic"),
                       ("payloadFormat", "PayloadFormatIndicator"), ("user", "UserProperty"),
                       ("subscriptionIdentifiers", "SubscriptionIdentifier")):
        if hasattr(properties, name):
            given[ours] = getattr(properties, name)
    if hasattr(properties, "CorrelationData"):
        given["correlationData"] = properties.CorrelationData.decode()
    return given


def serve(number, start, commands):
    version = start["version"]
    options = start["options"]
    clean = options.get("clean", True)
    transport = "websockets" if "websocket" in start["transport"] else "tcp"
    arguments = {} if version == 5 else {"clean_session": clean}
    client = mqtt.Client(start["id"], protocol=version, transport=transport, **arguments)
    if "tls" in start["transport"]:
        client.tls_set(start["ca"])
    if "will" in options:
        will = options["will"]
        client.will_set(will["topic"], will["payload"], will["qos"], will["retain"])

    def on_connect(client, userdata, flags, code, properties=None):
        say(number, event="connected", present=bool(flags["session present"]), code=int(getattr(code, "value", code)))

    def on_disconnect(client, userdata, code, properties=None):
        say(number, event="closed")

    def on_message(client, userdata, message):
        properties = received_properties(message.properties) if version == 5 else {}
        say(number, event="message", topic=message.topic, payload=message.payload.decode(), qos=message.qos,
            retain=bool(message.retain), properties=properties)

    def on_subscribe(client, userdata, mid, granted, properties=None):
        say(number, event="subscribed", codes=[int(getattr(code, "value", code)) for code in granted])

    def on_unsubscribe(client, userdata, mid, *rest):
        say(number, event="unsubscribed")

    def on_publish(client, userdata, mid):
        say(number, event="published")

    client.on_connect, client.on_disconnect, client.on_message = on_connect, on_disconnect, on_message
    client.on_subscribe, client.on_unsubscribe, client.on_publish = on_subscribe, on_unsubscribe, on_publish
    if version == 5:
        properties = Properties(PacketTypes.CONNECT)
        if "expiry" in options:
            properties.SessionExpiryInterval = options["expiry"]
        client.connect("localhost", start["port"], clean_start=clean, properties=properties)
    else:
        client.connect("localhost", start["port"])

    def obey(command):
        do = command["do"]
        if do == "subscribe":
            chosen = command["options"]
            if version == 5:
                properties = Properties(PacketTypes.SUBSCRIBE)
                if "identifier" in chosen:
                    properties.SubscriptionIdentifier = chosen["identifier"]
                flags = SubscribeOptions(chosen["qos"], chosen.get("noLocal", False), chosen.get("retainAsPublished", False))
                client.subscribe([(each, flags) for each in command["filters"]], properties=properties)
            else:
                client.subscribe([(each, chosen["qos"]) for each in command["filters"]])
        elif do == "unsubscribe":
            client.unsubscribe(command["filters"])
        elif do == "publish":
            chosen = command["options"]
            rest = {"properties": message_properties(chosen["properties"])} if "properties" in chosen else {}
            client.publish(command["topic"], command["payload"], chosen.get("qos", 0), chosen.get("retain", False), **rest)
        elif do == "drop":
            client.socket().close()
        elif do == "disconnect":
            if version == 5:
                properties = Properties(PacketTypes.DISCONNECT)
                if "expiry" in command:
                    properties.SessionExpiryInterval = command["expiry"]
                client.disconnect(properties=properties)
            else:
                client.disconnect()

    # All that touches the client is one thread; loop_start() would connect again by itself.
    try:
        while client.loop(0.01) == mqtt.MQTT_ERR_SUCCESS:
            while not commands.empty():
                obey(commands.get())
    except (OSError, ValueError):
        pass  # the socket that "drop" has closed
    say(number, event="over")


clients = {}
for line in sys.stdin:
    command = json.loads(line)
    number = command["as"]
    if command["do"] == "connect":
        clients[number] = queue.Queue()
        threading.Thread(target=serve, args=(number, command, clients[number]), daemon=True).start()
    else:
        clients[number].put(command)
