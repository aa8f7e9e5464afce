import { readFileSync } from 'node:fs';

/** Text of a vector; where it would be long, a piece that is repeated, and what follows the last one. */
export type VectorText = string | { readonly repeat: string; readonly count: number; readonly then: string };

export interface TopicVectors {
  readonly matches: readonly { readonly filter: string; readonly topic: string; readonly matches: boolean }[];
  readonly names: readonly { readonly topic: VectorText; readonly valid: boolean; readonly why?: string }[];
  readonly filters: readonly {
    readonly filter: VectorText;
    readonly valid: boolean;
    readonly why?: string;
  }[];
  readonly shared: readonly {
    readonly text: string;
    readonly share: string | null;
    readonly filter: string;
    readonly reasonCode: number;
  }[];
  readonly wide: readonly {
    readonly filter: string;
    readonly subscribe: string;
    readonly matches: readonly string[];
    readonly misses: readonly string[];
  }[];
  readonly notWide: readonly string[];
}

export function vectorText(text: VectorText): string {
  return typeof text === 'string' ? text : text.repeat.repeat(text.count) + text.then;
}

/** Short form for a test's name. */
export function vectorTitle(text: VectorText): string {
  return typeof text === 'string' ? JSON.stringify(text) : `${text.count} x ${text.repeat} ${text.then}`;
}

export const topicVectors = readVectors<TopicVectors>('topics.json');

export function readVectors<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as T;
}
