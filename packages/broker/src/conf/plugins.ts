import type { SecuritySettings } from '../settings.js';
import { ConfError, type ConfPosition } from './conf-error.js';
import { ConfValueError } from './conf-value.js';

type SecurityDraft = { -readonly [K in keyof SecuritySettings]: SecuritySettings[K] };

/** Mosquitto 2.1 has its own files in these two plugins; here they are the settings of old (contract broker §3.4). */
const BUILT_IN = [
  { library: 'mosquitto_password_file', option: 'password_file', setting: 'passwordFile' },
  { library: 'mosquitto_acl_file', option: 'acl_file', setting: 'aclFile' },
] as const;

/** One plugin that a configuration loads. */
export class Plugin {
  /** Whose settings it makes; `all`: everybody's. */
  readonly targets: (SecurityDraft | 'all')[] = [];
  readonly #line: string;
  readonly #position: ConfPosition;
  readonly #builtIn: (typeof BUILT_IN)[number] | undefined;
  #file: string | undefined;

  constructor(option: string, path: string, position: ConfPosition) {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.so$/, '');
    this.#builtIn = BUILT_IN.find(({ library }) => library === name);
    this.#line = `'${option}' option (${path})`;
    this.#position = position;
  }

  /** `plugin_opt_KEY VALUE`. False where nothing comes of it. */
  set(key: string, value: string): boolean {
    if (this.#builtIn === undefined) return true;
    if (this.#builtIn.option !== key) return false;
    this.#file = value;
    return true;
  }

  /** What it says is done; otherwise the error that ends the start when the security files are read. */
  apply(everybody: readonly SecurityDraft[]): ConfError | undefined {
    if (this.#builtIn === undefined || this.#file === undefined) {
      const missing = this.#builtIn === undefined ? '' : ` without plugin_opt_${this.#builtIn.option}`;
      const text = `Error: The ${this.#line} is not supported by tsmqtt-broker${missing}.`;
      return new ConfError(text, this.#position, 13);
    }
    for (const target of this.targets) {
      for (const security of target === 'all' ? everybody : [target]) {
        security[this.#builtIn.setting] = this.#file;
      }
    }
    return undefined;
  }
}

/** All plugins of a configuration. */
export class Plugins {
  readonly #all: Plugin[] = [];
  readonly #named = new Map<string, Plugin>();
  #refusal: ConfError | undefined;

  /** `plugin`, `auth_plugin`, `global_plugin`. */
  add(option: string, path: string, position: ConfPosition, target: SecurityDraft | 'all'): Plugin {
    const plugin = this.#load(option, path, position);
    plugin.targets.push(target);
    return plugin;
  }

  /** `plugin_load NAME PATH`: for those who `use` it. */
  load(value: string, position: ConfPosition): Plugin {
    const space = value.indexOf(' ');
    const name = space === -1 ? value : value.slice(0, space);
    const path = space === -1 ? '' : value.slice(space).trim();
    if (path === '') throw new ConfValueError("Empty 'plugin_load' path value in configuration.");
    if (this.#named.has(name)) throw new ConfValueError(`Duplicate 'plugin_load' name (${name}).`);
    const plugin = this.#load('plugin_load', path, position);
    this.#named.set(name, plugin);
    return plugin;
  }

  /** `plugin_use NAME`. @param target Undefined: listeners have no settings of their own, so that it cannot be done. */
  use(name: string, position: ConfPosition, target: SecurityDraft | undefined): Plugin {
    const plugin = this.#named.get(name);
    if (plugin === undefined) throw new ConfValueError(`Invalid 'plugin_use' value (${name}).`);
    if (target === undefined) {
      const text = `Error: The 'plugin_use' option (${name}) is only supported by tsmqtt-broker with per_listener_settings true.`;
      this.#refusal ??= new ConfError(text, position, 13);
    } else plugin.targets.push(target);
    return plugin;
  }

  #load(option: string, path: string, position: ConfPosition): Plugin {
    const plugin = new Plugin(option, path, position);
    this.#all.push(plugin);
    return plugin;
  }

  /** When everything is read. The first refusal, in the order of the lines of those that are loaded. */
  apply(everybody: readonly SecurityDraft[]): ConfError | undefined {
    const refusals = this.#all.map((plugin) => plugin.apply(everybody));
    return refusals.find((refusal) => refusal !== undefined) ?? this.#refusal;
  }
}
