import { describe, expect, it } from 'vitest';
import { DEFAULT_LISTENER, type ListenerSettings } from '../settings.js';
import { endpointsOf } from './endpoint.js';

const interfaces = () => ({
  lo: [
    { address: '127.0.0.1', family: 'IPv4' },
    { address: '::1', family: 'IPv6', scopeid: 0 },
  ],
  eth0: [
    { address: '192.0.2.1', family: 'IPv4' },
    { address: '192.0.2.2', family: 'IPv4' },
    { address: 'fe80::1', family: 'IPv6', scopeid: 2 },
  ],
});
const hosts = async (settings: Partial<ListenerSettings>, localOnly = false) =>
  (await endpointsOf({ ...DEFAULT_LISTENER, ...settings }, localOnly, interfaces)).map((endpoint) =>
    endpoint.family === 'unix' ? endpoint.path : `${endpoint.family} ${endpoint.host}`,
  );

describe('where a listener listens (broker §1.3, §3.2)', () => {
  // biome-ignore format: one row a line
  it.each<[Partial<ListenerSettings>, string[]]>([
    [{}, ['ipv4 0.0.0.0', 'ipv6 ::']],
    [{ host: '192.0.2.9' }, ['ipv4 192.0.2.9']],
    [{ host: '::1' }, ['ipv6 ::1']],
    [{ path: '/run/b.sock' }, ['/run/b.sock']],
    [{ socketDomain: 'ipv4' }, ['ipv4 0.0.0.0']],
    [{ socketDomain: 'ipv6' }, ['ipv6 ::']],
    [{ bindInterface: 'lo' }, ['ipv4 127.0.0.1', 'ipv6 ::1']],
    [{ bindInterface: 'eth0' }, ['ipv4 192.0.2.1', 'ipv4 192.0.2.2', 'ipv6 fe80::1%eth0']],
    [{ bindInterface: 'eth0', socketDomain: 'ipv6' }, ['ipv6 fe80::1%eth0']],
    [{ bindInterface: 'eth0', host: '192.0.2.2' }, ['ipv4 192.0.2.2']],
    [{ bindInterface: 'eth0', host: 'fe80::1' }, ['ipv6 fe80::1%eth0']],
  ])('%j: %j', async (settings, expected) => expect(await hosts(settings)).toEqual(expected));

  it('in local only mode it is loopback', async () => {
    expect(await hosts({}, true)).toEqual(['ipv4 127.0.0.1', 'ipv6 ::1']);
    expect(await hosts({ socketDomain: 'ipv6' }, true)).toEqual(['ipv6 ::1']);
  });

  it('a name stands for all its addresses, each once', async () => {
    const found = await hosts({ host: 'localhost' });
    expect(found).toContain('ipv4 127.0.0.1');
    expect(new Set(found).size).toBe(found.length);
  });

  // biome-ignore format: one row a line
  it.each<[Partial<ListenerSettings>, string]>([
    [{ bindInterface: 'wlan7' }, 'Error: Interface wlan7 not found.'],
    [{ bindInterface: 'eth0', host: '127.0.0.1' }, 'Error: Interface eth0 has no address for 127.0.0.1.'],
    [{ host: '127.0.0.1', socketDomain: 'ipv6' }, 'Error: 127.0.0.1 has no ipv6 address.'],
  ])('%j is refused: %s', async (settings, message) => {
    await expect(hosts(settings)).rejects.toMatchObject({ name: 'ListenerError', message });
  });

  it('a name that nobody knows is an error of the system', async () => {
    await expect(hosts({ host: 'nowhere.invalid' })).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });
});
