import { afterEach, describe, expect, it } from 'vitest';
import { EngineHost, LISTENER } from '../../test/engine-host.js';
import { bytesOf, connectPacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { frame, request } from '../../test/web-client.js';
import type { ListenerSettings } from '../settings.js';

const CONNECT = bytesOf(connectPacket({ username: 'somebody' }), 4);
const CONNACK = '20020000';
const V1 = Buffer.from('PROXY TCP4 192.168.0.1 10.0.0.2 8080 1883\r\n');

/** A header of version 2 from 192.168.0.1:8080, with TLVs. */
function v2(tlvs = '', head = '2111'): Buffer {
  const body = Buffer.from(`c0a800010a0000021f90075b${tlvs}`, 'hex');
  const length = Buffer.from([body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from(`0d0a0d0a000d0a515549540a${head}`, 'hex'), length, body]);
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** What a proxy says of its client's TLS. */
function tls(client: number, verify: number, commonName?: string): string {
  const parts = [
    Buffer.from([client, 0, 0, 0, verify]),
    tlv(0x21, Buffer.from('TLSv1.3')),
    tlv(0x23, Buffer.from('TLS_AES_256_GCM_SHA384')),
    ...(commonName === undefined ? [] : [tlv(0x22, Buffer.from(commonName))]),
  ];
  return tlv(0x20, Buffer.concat(parts)).toString('hex');
}

let host: EngineHost;
afterEach(() => host.stop());

async function start(listener: Partial<ListenerSettings>, settings = {}): Promise<void> {
  host = await EngineHost.start({ listeners: [{ ...LISTENER, ...listener }], ...settings });
}

/** Sends all at once, and gives what came back when something did or the connection was closed. */
async function answerTo(...sent: readonly Buffer[]): Promise<string> {
  const client = await SocketClient.open(host.port);
  client.socket.write(Buffer.concat(sent));
  await client.until((bytes) => bytes !== '').catch(() => {});
  return client.bytes;
}

describe('behind a proxy', () => {
  it.each([
    [1, V1],
    [2, v2()],
  ] as const)('the client is where the header of version %i says', async (proxyProtocol, header) => {
    await start({ proxyProtocol });
    expect(await answerTo(header, CONNECT)).toBe(CONNACK);
    expect(host.notices).toEqual([
      "New client connected from 192.168.0.1:8080 as client (p4, c1, k0, u'somebody').",
    ]);
  });

  it('the header may come in pieces (broker T-46)', async () => {
    await start({ proxyProtocol: 1 });
    const client = await SocketClient.open(host.port);
    for (const byte of Buffer.concat([V1, CONNECT])) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until((bytes) => bytes === CONNACK);
  });

  it('MQTT may come long after the header', async () => {
    await start({ proxyProtocol: 2 });
    const client = await SocketClient.open(host.port);
    client.socket.write(v2());
    await expect.poll(() => host.engine.connections.size).toBe(1);
    client.socket.write(CONNECT);
    await client.until((bytes) => bytes === CONNACK);
  });

  it('a proxy that speaks for itself is where its socket is', async () => {
    await start({ proxyProtocol: 2 });
    expect(await answerTo(v2('', '2011'), CONNECT)).toBe(CONNACK);
    expect(host.notices).toEqual([expect.stringMatching(/^New client connected from 127\.0\.0\.1:\d+ as/)]);
  });

  it('a health check is closed without a word', async () => {
    await start({ proxyProtocol: 2 });
    expect(await answerTo(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'))).toBe('');
    expect(host.notices).toEqual([]);
  });

  it.each([
    [1, CONNECT, /^Connection rejected, corrupt PROXY header\.$/],
    [2, CONNECT, /^Connection from 127\.0\.0\.1:\d+ rejected, corrupt PROXY header\.$/],
    [2, V1, /^Connection from 127\.0\.0\.1:\d+ rejected, corrupt PROXY header\.$/],
  ] as const)('what has no header of version %i is closed', async (proxyProtocol, sent, line) => {
    await start({ proxyProtocol });
    expect(await answerTo(sent)).toBe('');
    expect(host.notices).toEqual([expect.stringMatching(line)]);
  });

  it('one that ends within its header is gone, and one that never ends it has 30 s', async () => {
    await start({ proxyProtocol: 1 });
    const early = await SocketClient.open(host.port);
    early.socket.end(V1.subarray(0, 10));
    expect(await early.closed()).toBe('');
    const slow = await SocketClient.open(host.port);
    slow.socket.write(V1.subarray(0, 10));
    const looked = (): boolean => {
      host.pass(31);
      return slow.socket.destroyed;
    };
    await expect.poll(looked).toBe(true);
  });

  it('WebSocket comes after the header', async () => {
    await start({ proxyProtocol: 2, protocol: 'websockets' });
    const answer = await answerTo(v2(), Buffer.from(request()), frame(CONNECT));
    expect(Buffer.from(answer, 'hex').toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
    await expect
      .poll(() => host.notices)
      .toEqual(["New client connected from 192.168.0.1:8080 as client (p4, c1, k0, u'somebody')."]);
  });
});

describe('TLS that the proxy had with the client', () => {
  it('stands in the log', async () => {
    await start({ proxyProtocol: 2 });
    expect(await answerTo(v2(tls(1, 0)), CONNECT)).toBe(CONNACK);
    expect(host.notices[0]).toBe(
      'Connection from 192.168.0.1:8080 negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384',
    );
  });

  const noTls = 'Connection from 192.168.0.1:8080 rejected, client did not connect using TLS.';
  const noCertificate = 'Connection from 192.168.0.1:8080 rejected, client did not provide a certificate.';
  const requireCertificate = { requireCertificate: true };
  const requireTls = { proxyProtocolV2RequireTls: true };

  // biome-ignore format: one row a line
  it.each([
    ['TLS, which is required', requireTls, tls(1, 1), undefined],
    ['no word of TLS', requireTls, '', noTls],
    ['no TLS', requireTls, tls(0, 0), noTls],
    ['a certificate, which is required', requireCertificate, tls(5, 0, 'pi'), undefined],
    ['no word of a certificate', requireCertificate, '', noCertificate],
    ['no certificate', requireCertificate, tls(1, 1), noCertificate],
    ['a certificate that was not verified', requireCertificate, tls(5, 1), noCertificate],
    ['a certificate of the connection alone', requireCertificate, tls(3, 0), noCertificate],
    ['a certificate without TLS', requireCertificate, tls(4, 0), noCertificate],
    ['neither, both being required', { ...requireTls, ...requireCertificate }, '', noTls],
  ])('%s', async (_what, listener, tlvs, refusal) => {
    await start({ proxyProtocol: 2, ...listener });
    expect(await answerTo(v2(tlvs), CONNECT)).toBe(refusal === undefined ? CONNACK : '');
    if (refusal !== undefined) expect(host.notices).toEqual([refusal]);
  });
});

describe('use_identity_as_username (broker T-53)', () => {
  const identity = { useIdentityAsUsername: true, allowAnonymous: false };
  const required = { ...identity, requireCertificate: true };

  // biome-ignore format: one row a line
  it.each([
    ['the name of a certificate, which is required', required, tls(5, 0, 'pi'), '20020000'],
    ['the name of a certificate, which is not required', identity, tls(5, 0, 'pi'), '20020000'],
    ['a certificate without a name', required, tls(5, 0), '20020004'],
    ['no certificate', identity, tls(1, 1), '20020004'],
    ['a name without a certificate that was verified', identity, tls(5, 1, 'pi'), '20020004'],
    ['no word of TLS', identity, '', '20020004'],
  ])('%s', async (_what, listener, tlvs, connack) => {
    await start({ proxyProtocol: 2, ...listener });
    expect(await answerTo(v2(tlvs), CONNECT)).toBe(connack);
    const accepted = host.notices.filter((line) => line.startsWith('New client'));
    const line = "New client connected from 192.168.0.1:8080 as client (p4, c1, k0, u'pi').";
    expect(accepted).toEqual(connack === '20020000' ? [line] : []);
  });

  it('says 0x86 to MQTT 5', async () => {
    await start({ proxyProtocol: 2, ...required });
    const connect = bytesOf(connectPacket({ protocolVersion: 5 }), 5);
    expect((await answerTo(v2(tls(5, 0)), connect)).slice(0, 8)).toMatch(/^20..0086$/);
  });
});
