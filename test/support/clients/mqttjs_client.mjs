// Clients of mqtt.js: commands as JSON lines on stdin, what happens as JSON lines on stdout; `as` numbers the clients.
// A process of its own, because the conditions of the test runner make mqtt.js load another build of ws.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';

const SCHEMES = { tcp: 'mqtt', websocket: 'ws', tls: 'mqtts', 'websocket over tls': 'wss' };
const say = (number, event) => process.stdout.write(`${JSON.stringify({ as: number, ...event })}\n`);

function connect(number, start) {
  const { clean = true, expiry, aliases, will } = start.options;
  const client = mqtt.connect(`${SCHEMES[start.transport]}://localhost:${start.port}`, {
    clientId: start.id,
    clean,
    protocolVersion: start.version,
    protocolId: start.version === 3 ? 'MQIsdp' : 'MQTT',
    reconnectPeriod: 0,
    resubscribe: false,
    ca: readFileSync(start.ca),
    ...(start.version === 5 && {
      properties: { sessionExpiryInterval: expiry, topicAliasMaximum: aliases },
    }),
    ...(will && { will: { ...will, payload: Buffer.from(will.payload) } }),
  });
  client.on('connect', ({ sessionPresent }) =>
    say(number, { event: 'connected', present: sessionPresent, code: 0 }),
  );
  client.on('error', (error) => console.error(error));
  client.on('close', () => {
    say(number, { event: 'closed' });
    say(number, { event: 'over' });
  });
  client.on('message', (topic, payload, { qos, retain, properties = {} }) => {
    const { contentType, responseTopic, correlationData, payloadFormatIndicator, userProperties } =
      properties;
    const identifiers = properties.subscriptionIdentifier;
    say(number, {
      event: 'message',
      topic,
      payload: payload.toString(),
      qos,
      retain,
      properties: {
        contentType,
        responseTopic,
        correlationData: correlationData?.toString(),
        payloadFormat: payloadFormatIndicator === undefined ? undefined : Number(payloadFormatIndicator),
        user:
          userProperties &&
          Object.entries(userProperties).flatMap(([key, value]) => [value].flat().map((one) => [key, one])),
        subscriptionIdentifiers: identifiers === undefined ? undefined : [identifiers].flat(),
      },
    });
  });
  return client;
}

/** mqtt.js takes several values of one key as a list. */
function grouped(user) {
  const groups = {};
  for (const [key, value] of user) groups[key] = [...(groups[key] ?? []), value];
  return groups;
}

function properties({ contentType, responseTopic, correlationData, payloadFormat, user, topicAlias }) {
  return {
    contentType,
    responseTopic,
    correlationData: correlationData === undefined ? undefined : Buffer.from(correlationData),
    payloadFormatIndicator: payloadFormat === undefined ? undefined : payloadFormat === 1,
    userProperties: user && grouped(user),
    topicAlias,
  };
}

const COMMANDS = {
  async subscribe(client, { as, filters, options: { qos, noLocal, retainAsPublished, identifier } }) {
    const granted = await client.subscribeAsync(filters, {
      qos,
      nl: noLocal,
      rap: retainAsPublished,
      ...(identifier !== undefined && { properties: { subscriptionIdentifier: identifier } }),
    });
    say(as, { event: 'subscribed', codes: granted.map((one) => one.qos) });
  },
  async unsubscribe(client, { as, filters }) {
    await client.unsubscribeAsync(filters);
    say(as, { event: 'unsubscribed' });
  },
  async publish(client, { as, topic, payload, options: { qos = 0, retain = false, properties: given } }) {
    await client.publishAsync(topic, payload, {
      qos,
      retain,
      ...(given && { properties: properties(given) }),
    });
    say(as, { event: 'published' });
  },
  async disconnect(client, { expiry: changed }) {
    await client.endAsync(
      false,
      changed === undefined ? {} : { properties: { sessionExpiryInterval: changed } },
    );
  },
  drop(client) {
    client.stream.destroy();
  },
};

const clients = new Map();
createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  if (command.do === 'connect') clients.set(command.as, connect(command.as, command));
  else void COMMANDS[command.do](clients.get(command.as), command);
});
