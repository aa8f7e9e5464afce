import { readFileSync } from 'node:fs';
import type { ConnectOptions } from '@tsmqtt/client';
import { isMqttUtf8, type Will } from '@tsmqtt/protocol';
import type { Settings, Tool } from '../options/settings.js';
import { byteText } from '../program/byte-text.js';
import type { Io } from '../program/io.js';
import { ProgramError } from '../program/program-error.js';
import { systemErrorText } from '../program/system-error.js';
import { checkProperties, connectProperties } from './outgoing-properties.js';

/** Longest string and binary value MQTT can carry. */
const MAXIMUM_STRING_BYTES = 65535;

/** What CONNECT says, as far as the command line decides it (cli §5, §9.6, §9.7). Throws ProgramError. */
export function connectOptions(settings: Settings, io: Io): Omit<ConnectOptions, 'connector'> {
  const id = clientId(settings, io);
  const { username, password } = credentials(settings);
  checkProperties(settings);
  return {
    protocolVersion: settings.protocolVersion,
    clientId: id,
    cleanStart: settings.cleanStart,
    keepAlive: settings.keepAlive,
    // cli §11.6
    ignoreTopicAliasMaximum: true,
    maximumInflight: settings.maximumInflight,
    properties: connectProperties(settings),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(settings.willTopic === undefined ? {} : { will: will(settings, settings.willTopic) }),
  };
}

function will(settings: Settings, topic: string): Will {
  return {
    topic,
    payload: settings.willPayload ?? Buffer.alloc(0),
    qos: settings.willQos,
    retain: settings.willRetain,
    properties: settings.properties.WILL,
  };
}

/** The Client Identifier (cli §9.6); MQTT 3.1 alone cannot do without one. */
function clientId(settings: Settings, io: Io): string {
  if (settings.clientIdPrefix !== undefined) {
    return validClientId(byteText`${settings.clientIdPrefix}${io.pid}`, settings.tool);
  }
  if (settings.clientId !== undefined) return validClientId(settings.clientId, settings.tool);
  if (!settings.cleanStart) throw invalidClientId(settings.tool);
  return settings.protocolVersion === 3 ? `mosq-${randomText(18)}` : '';
}

function validClientId(id: Buffer, tool: Tool): string {
  const valid = id.length > 0 && id.length <= MAXIMUM_STRING_BYTES && isMqttUtf8(id, 0, id.length);
  if (!valid) throw invalidClientId(tool);
  return id.toString();
}

/** Each program has its own wording (cli §5). */
function invalidClientId(tool: Tool): ProgramError {
  return new ProgramError(
    1,
    tool === 'pub' ? 'Error: Invalid id.\n' : 'Error: Invalid id and/or clean_session.\n',
  );
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Tells clients apart; nothing is kept secret by it. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += ALPHANUMERIC[Math.floor(Math.random() * ALPHANUMERIC.length)];
  return text;
}

function credentials(settings: Settings): { username: string | undefined; password: Buffer | undefined } {
  const { username, protocolVersion } = settings;
  const password = settings.password ?? passwordFromFile(settings.passwordFile);
  const usable =
    (username === undefined ||
      (username.length <= MAXIMUM_STRING_BYTES && isMqttUtf8(username, 0, username.length))) &&
    (password === undefined || password.length <= MAXIMUM_STRING_BYTES) &&
    // A password without a user name came with MQTT 5 [MQTT311-3.1.2-22].
    (password === undefined || username !== undefined || protocolVersion === 5);
  if (!usable) throw new ProgramError(1, 'Error: Problem setting username and/or password.\n');
  return { username: username?.toString(), password };
}

/** First line of the file, without its line end (P-13). */
function passwordFromFile(file: Buffer | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new ProgramError(
      1,
      byteText`Error: Unable to read password file "${file}": ${systemErrorText(error)}.\n`,
    );
  }
  const lineEnd = content.indexOf('\n');
  const line = content.subarray(0, lineEnd === -1 ? content.length : lineEnd);
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
}
