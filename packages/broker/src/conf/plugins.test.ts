import { describe, expect, it } from 'vitest';
import type { BrokerSettings } from '../settings.js';
import { ConfError } from './conf-error.js';
import { ConfReader } from './conf-reader.js';

function read(text: string) {
  const warnings: string[] = [];
  const reader = new ConfReader({ readFile: () => Buffer.from(text), readDir: () => [] }, (type, line) => {
    if (type === 'warning') warnings.push(line);
  });
  reader.read('main.conf');
  return { ...reader.finish(), warnings };
}

const files = ({ passwordFile, aclFile, listeners }: BrokerSettings) => [
  [passwordFile, aclFile],
  ...listeners.map(({ security }) => [security?.passwordFile, security?.aclFile]),
];

const PASSWORDS = '/usr/lib/mosquitto_password_file.so';
const ACL = '/usr/lib/mosquitto_acl_file.so';

describe('the plugins of Mosquitto 2.1 that stand for settings (broker §3.4)', () => {
  const none = [undefined, undefined];
  // biome-ignore format: one row a line
  it.each([
    [`plugin ${PASSWORDS}\nplugin_opt_password_file p`, [['p', undefined], none]],
    [`plugin ${ACL}\nplugin_opt_acl_file a`, [[undefined, 'a'], none]],
    ['plugin mosquitto_acl_file\nplugin_opt_acl_file a', [[undefined, 'a'], none]],
    [`auth_plugin ${ACL}\nauth_opt_acl_file a b`, [[undefined, 'a b'], none]],
    [`global_plugin ${ACL}\nplugin_opt_acl_file a`, [[undefined, 'a'], none]],
    [`plugin ${ACL}\nplugin_opt_acl_file a\nplugin ${PASSWORDS}\nplugin_opt_password_file p`, [['p', 'a'], none]],
    [`listener 1\nplugin ${ACL}\nplugin_opt_acl_file a\nlistener 2`, [[undefined, 'a'], none, none]],
    // with settings of their own
    [`per_listener_settings true\nlistener 1\nplugin ${ACL}\nplugin_opt_acl_file a\nlistener 2`, [none, [undefined, 'a'], none]],
    [`per_listener_settings true\nplugin ${ACL}\nplugin_opt_acl_file a`, [none, [undefined, 'a']]],
    [`per_listener_settings true\nlistener 1\nglobal_plugin ${ACL}\nplugin_opt_acl_file a\nlistener 2`, [none, [undefined, 'a'], [undefined, 'a']]],
    [`per_listener_settings true\nglobal_plugin ${ACL}\nplugin_opt_acl_file a`, [none, [undefined, 'a']]],
    [`per_listener_settings true\nplugin_load x ${ACL}\nplugin_opt_acl_file a\nlistener 1\nlistener 2\nplugin_use x\nlistener 3\nplugin_use x`, [none, none, [undefined, 'a'], [undefined, 'a']]],
  ] as const)('%j', (text, expected) => {
    const { settings, refusal } = read(text);
    expect(refusal).toBeUndefined();
    expect(files(settings)).toEqual(expected);
  });

  it('options that they do not have are warned about', () => {
    const { warnings, refusal } = read(`plugin ${ACL}\nplugin_opt_acl_file a\nplugin_opt_x y`);
    expect(refusal).toBeUndefined();
    expect(warnings).toEqual(["Warning: The 'plugin_opt_x' option has no effect. (main.conf:3)"]);
  });
});

describe('other plugins are refused when the security files are read: exit 13', () => {
  // biome-ignore format: one row a line
  it.each([
    ['plugin /x.so', 1, "Error: The 'plugin' option (/x.so) is not supported by tsmqtt-broker."],
    ['\nauth_plugin /x.so\nauth_opt_a b', 2, "Error: The 'auth_plugin' option (/x.so) is not supported by tsmqtt-broker."],
    ['global_plugin /x.so', 1, "Error: The 'global_plugin' option (/x.so) is not supported by tsmqtt-broker."],
    ['plugin_load x /x y.so', 1, "Error: The 'plugin_load' option (/x y.so) is not supported by tsmqtt-broker."],
    ['plugin /my_mosquitto_acl_file.so\nplugin_opt_acl_file a', 1, "Error: The 'plugin' option (/my_mosquitto_acl_file.so) is not supported by tsmqtt-broker."],
    [`plugin ${ACL}`, 1, `Error: The 'plugin' option (${ACL}) is not supported by tsmqtt-broker without plugin_opt_acl_file.`],
    [`plugin ${ACL}\nplugin_opt_password_file p`, 1, `Error: The 'plugin' option (${ACL}) is not supported by tsmqtt-broker without plugin_opt_acl_file.`],
    [`plugin ${ACL}\nplugin_opt_acl_file a\nplugin /x.so\nplugin /y.so`, 3, "Error: The 'plugin' option (/x.so) is not supported by tsmqtt-broker."],
    [`plugin_load x ${ACL}\nplugin_opt_acl_file a\nlistener 1\nplugin_use x`, 4, "Error: The 'plugin_use' option (x) is only supported by tsmqtt-broker with per_listener_settings true."],
  ])('%j', (text, line, error) => {
    const { refusal } = read(text);
    expect(refusal?.lines).toEqual([error, `Error found at main.conf:${line}.`]);
    expect(refusal?.exitCode).toBe(13);
  });
});

describe('errors on the line: exit 3', () => {
  it.each([
    ['listener 1\nplugin_use x', "Error: Invalid 'plugin_use' value (x)."],
    ['plugin_load x', "Error: Empty 'plugin_load' path value in configuration."],
    ['plugin_load x /a\nplugin_load x /b', "Error: Duplicate 'plugin_load' name (x)."],
    ['plugin /x.so\nplugin_opt_', "Error: Invalid 'plugin_opt_' config option."],
    [
      'allow_anonymous true\nplugin_opt_a b',
      "Error: The 'plugin_opt_a' option requires plugin/global_plugin/plugin_load to be defined first.",
    ],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(ConfError);
    expect(() => read(text)).toThrow(message);
  });
});
