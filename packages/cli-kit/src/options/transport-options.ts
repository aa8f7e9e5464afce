import { parseProxyUrl } from '@tsmqtt/client';
import { UsageError } from '@tsmqtt/protocol';
import { ArgumentError, argumentError } from './argument-error.js';
import type { OptionRow } from './option-row.js';
import { applyProperty, propertyWords } from './property-option.js';
import type { Settings, TlsSettings, Tool } from './settings.js';
import { topicName, wideFilter } from './topic-value.js';
import { applyUrl } from './url-value.js';

const ALL: readonly Tool[] = ['pub', 'sub', 'rr'];
const SUB: readonly Tool[] = ['sub'];

/** `-L`, `--unix`, `-S`, WebSocket and proxy (cli §3.1, §6, §9.4, §9.5), and `-D` (cli §7). */
export const TRANSPORT_OPTIONS: readonly OptionRow[] = [
  {
    names: ['-L', '--url'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'URL', noun: 'URL' },
    repeatable: SUB,
    help: 'Broker and topic in one: mqtt, mqtts, ws or wss, as in mqtt://user:password@host:port/topic.',
    apply: (settings, value) => {
      const topic = applyUrl(settings, value);
      if (settings.tool === 'sub') {
        settings.filters.push({ argument: topic, wide: wideFilter(topic, '-L topic', 'subscription') });
      } else {
        settings.topic = topicName(topic, '-L topic', 'publish');
      }
    },
  },
  {
    names: ['--unix'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'PATH', noun: 'socket path' },
    help: 'Unix socket of the broker; stands for -h PATH -p 0.',
    apply: (settings, value) => {
      settings.host = value.toString();
      settings.port = 0;
      settings.local = false;
    },
  },
  {
    names: ['-S'],
    tools: ALL,
    group: 'Connection',
    help: 'Look up the broker of the domain that -h names, by its SRV record _mqtt._tcp (with TLS _secure-mqtt._tcp).',
    apply: (settings) => {
      settings.srv = true;
    },
  },
  {
    names: ['--ws'],
    tools: ALL,
    group: 'Connection',
    help: 'MQTT over WebSocket.',
    apply: (settings) => {
      settings.webSocket = true;
    },
  },
  {
    names: ['--ws-path'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'PATH', noun: 'path' },
    help: 'Path of the WebSocket request.',
    initially: '/mqtt',
    apply: (settings, value) => {
      settings.webSocketPath = value.toString();
    },
  },
  {
    names: ['--ws-header'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'HEADER', noun: 'header' },
    repeatable: ALL,
    help: "Further header of the WebSocket request: 'Name: value'.",
    apply: (settings, value) => {
      const [, name, text] =
        /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(value.toString('latin1')) ??
        [];
      if (name === undefined || text === undefined) {
        throw argumentError`Error: Invalid header '${value}' for --ws-header, it must be 'Name: value'.\n\n`;
      }
      settings.webSocketHeaders.push([name, text]);
    },
  },
  {
    names: ['--proxy'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'URL', noun: 'proxy url' },
    help: 'SOCKS5 proxy: socks5h://user:password@host:port.',
    apply: (settings, value) => {
      try {
        settings.proxy = parseProxyUrl(value.toString());
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        // The only argument error that an earlier --quiet hides (cli §2.4); some have no words at all (cli §4).
        const silent = settings.quiet || error.message === '';
        throw new ArgumentError(Buffer.from(silent ? '' : `Error: ${error.message}\n`));
      }
    },
  },
  {
    names: ['-D', '--property'],
    tools: ALL,
    group: 'MQTT session',
    value: {
      placeholder: 'PACKET PROPERTY VALUE',
      noun: 'arguments',
      spelling: '--property',
      missing: 'not enough arguments',
    },
    repeatable: ALL,
    help:
      'Property of MQTT 5 for connect, publish, subscribe, unsubscribe, disconnect or will; user-property takes a name ' +
      'and a value. Switches to MQTT 5.',
    apply: () => {},
    applyWords: applyProperty,
    wordsOfLine: propertyWords,
  },
];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type BytesKey = { [K in keyof TlsSettings]-?: Buffer extends TlsSettings[K] ? K : never }[keyof TlsSettings];
type FlagKey = { [K in keyof TlsSettings]-?: TlsSettings[K] extends boolean ? K : never }[keyof TlsSettings];

function bytesInto(key: BytesKey): (settings: Settings, value: Buffer) => void {
  return (settings, value) => {
    (settings.tls as Mutable<TlsSettings>)[key] = value;
  };
}

function flag(key: FlagKey): (settings: Settings) => void {
  return (settings) => {
    settings.tls[key] = true;
  };
}

/** cli §3.5. */
// biome-ignore format: one row a line
export const TLS_OPTIONS: readonly OptionRow[] = [
  { names: ['--cafile'], tools: ALL, group: 'TLS', value: { placeholder: 'FILE', noun: 'file' }, help: 'Trusted CAs (PEM). Switches TLS on.', apply: bytesInto('caFile') },
  { names: ['--capath'], tools: ALL, group: 'TLS', value: { placeholder: 'DIRECTORY', noun: 'directory' }, help: 'Directory of trusted CAs. Switches TLS on.', apply: bytesInto('caDirectory') },
  { names: ['--tls-use-os-certs'], tools: ALL, group: 'TLS', help: 'Trust the CAs that the operating system trusts. Switches TLS on.', apply: flag('osCertificates') },
  { names: ['--cert'], tools: ALL, group: 'TLS', value: { placeholder: 'FILE', noun: 'file' }, help: 'Client certificate and what chains it to its CA (PEM); with --key.', apply: bytesInto('certFile') },
  { names: ['--key'], tools: ALL, group: 'TLS', value: { placeholder: 'FILE', noun: 'file' }, help: 'Private key of the client certificate (PEM); asks for the passphrase of an encrypted one.', apply: bytesInto('keyFile') },
  { names: ['--keyform'], tools: ALL, group: 'TLS', value: { placeholder: 'FORM', noun: 'keyform', choices: ['pem', 'engine'] }, help: 'Form of the key; engines are not supported.', initially: 'pem', apply: bytesInto('keyForm') },
  { names: ['--ciphers'], tools: ALL, group: 'TLS', value: { placeholder: 'LIST', noun: 'ciphers' }, help: 'Ciphers up to TLS 1.2, as OpenSSL spells them; with --tls-version tlsv1.3 the suites of TLS 1.3.', apply: bytesInto('ciphers') },
  { names: ['--tls-version'], tools: ALL, group: 'TLS', value: { placeholder: 'VERSION', noun: 'version', choices: ['tlsv1.2', 'tlsv1.3'] }, help: 'Lowest version of TLS.', initially: 'tlsv1.2', apply: bytesInto('version') },
  { names: ['--insecure'], tools: ALL, group: 'TLS', help: 'Take any certificate of the broker: whoever is in between can read and write along.', apply: flag('insecure') },
  { names: ['--tls-alpn'], tools: ALL, group: 'TLS', value: { placeholder: 'NAME', noun: 'protocol' }, help: 'Protocol name for ALPN.', apply: bytesInto('alpn') },
  { names: ['--tls-keylog'], tools: ALL, group: 'TLS', value: { placeholder: 'FILE', noun: 'file' }, help: 'Append the keys of the connection to this file, with which others can decrypt it.', apply: bytesInto('keyLogFile') },
  { names: ['--tls-engine'], tools: ALL, group: 'TLS', value: { placeholder: 'ENGINE', noun: 'engine_id' }, help: 'OpenSSL engine; there is none here, so this always fails.', apply: bytesInto('engine') },
  { names: ['--tls-engine-kpass-sha1'], tools: ALL, group: 'TLS', value: { placeholder: 'HEX', noun: 'kpass sha1' }, help: 'Hash of the password of the key in an engine.', apply: bytesInto('engineKeyPassword') },
  { names: ['--psk'], tools: ALL, group: 'TLS', value: { placeholder: 'HEX', noun: 'key' }, help: 'Pre-shared key in hexadecimal, instead of certificates. Switches TLS 1.2 on.', apply: bytesInto('psk') },
  { names: ['--psk-identity'], tools: ALL, group: 'TLS', value: { placeholder: 'NAME', noun: 'identity' }, help: 'Name that belongs to the pre-shared key.', apply: bytesInto('pskIdentity') },
  { names: ['--no-tls'], tools: ALL, group: 'TLS', help: 'No TLS, whatever else asks for it.', apply: flag('off') },
];
