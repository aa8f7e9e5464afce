import type { Settings } from '@tsmqtt/cli-kit';
import { type Property, type Publish, property } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../../cli-kit/src/options/settings.js';
import { message } from '../../cli-kit/test/scripted-broker.js';
import { checkRequestProperties, Request } from './request.js';

const QUESTION = { topic: 'ask', responseTopic: 'answer', payload: Buffer.alloc(0) };
const OWN = Buffer.from('own');

function settings(given: readonly Property[], changes: Partial<Settings> = {}): Settings {
  const all = { ...defaultSettings('rr'), ...changes };
  all.properties.PUBLISH.push(...given);
  return all;
}

const correlationData = (value: Uint8Array): Property => ({ name: 'correlationData', value });

describe('the properties of a request (cli §13, P-14)', () => {
  test('the ones given, then correlation data of its own, the response topic last', () => {
    const given: Property[] = [
      { name: 'userProperty', value: ['a', 'b'] },
      { name: 'contentType', value: 'text/plain' },
    ];
    const { properties } = new Request(QUESTION, settings(given));
    expect(properties.slice(0, 2)).toEqual(given);
    expect(properties.slice(2).map(({ name }) => name)).toEqual(['correlationData', 'responseTopic']);
    expect(property(properties, 'correlationData')).toHaveLength(16);
    expect(property(properties, 'responseTopic')).toBe('answer');
  });

  test('correlation data differ from request to request', () => {
    const one = new Request(QUESTION, settings([]));
    const two = new Request(QUESTION, settings([]));
    expect(property(one.properties, 'correlationData')).not.toEqual(
      property(two.properties, 'correlationData'),
    );
  });

  test.each([OWN, Buffer.alloc(0)])('correlation data that were given stay what they are', (value) => {
    const { properties } = new Request(QUESTION, settings([correlationData(value)]));
    expect(properties).toEqual([correlationData(value), { name: 'responseTopic', value: 'answer' }]);
  });

  test.each([3, 4] as const)('none before MQTT 5, level %i', (protocolVersion) => {
    expect(new Request(QUESTION, settings([], { protocolVersion })).properties).toEqual([]);
  });
});

describe('properties that a request has no room for (cli §13)', () => {
  const user: Property = { name: 'userProperty', value: ['a', 'b'] };
  const type: Property = { name: 'contentType', value: 'a' };
  test.each<[string, Property[]]>([
    ['a response topic', [{ name: 'responseTopic', value: 'x' }]],
    ['two response topics', Array(2).fill({ name: 'responseTopic', value: 'x' })],
    ['two of another', [type, user, type]],
    ['two correlation data', [correlationData(OWN), correlationData(OWN)]],
  ])('%s', (_, given) => {
    expect(() => checkRequestProperties(settings(given))).toThrow(
      expect.objectContaining({
        text: Buffer.from('Error in PUBLISH properties: Duplicate response topic.\n'),
        after: 'nothing',
      }),
    );
  });

  test('two user properties are none of them', () => {
    expect(() => checkRequestProperties(settings([user, type, user, correlationData(OWN)]))).not.toThrow();
  });
});

describe('which message is the response (cli §13, P-14, P-26)', () => {
  const fromOther = [correlationData(Buffer.from('other'))];
  const retained = { retain: true };
  type Case = readonly [what: string, topic: string, changes: Partial<Publish>, answers: boolean];

  // biome-ignore format: one row a line
  const GENERATED: readonly Case[] = [
    ['without correlation data', 'answer', {}, true],
    ['on another topic', 'x', {}, true],
    ['for another request', 'answer', { properties: fromOther }, false],
    ['with part of the correlation data', 'answer', { properties: [correlationData(Buffer.alloc(0))] }, false],
    ['retained', 'answer', retained, false],
    ['retained on another topic', 'x', retained, true],
    ['retained, for another request', 'answer', { retain: true, properties: fromOther }, false],
  ];
  test.each(GENERATED)('%s', (_, topic, changes, answers) => {
    expect(new Request(QUESTION, settings([])).isAnsweredBy(message(topic, 'x', changes))).toBe(answers);
  });

  test('the one with our own correlation data, also with the flag that Retain As Published shows', () => {
    const request = new Request(QUESTION, settings([]));
    const properties = request.properties.filter(({ name }) => name === 'correlationData');
    expect(request.isAnsweredBy(message('answer', 'x', { properties }))).toBe(true);
    expect(request.isAnsweredBy(message('answer', 'x', { properties, retain: true }))).toBe(true);
  });

  // biome-ignore format: one row a line
  const GIVEN: readonly Case[] = [
    ['it', 'answer', { properties: [correlationData(OWN)] }, true],
    ['it, retained: an earlier run may have asked with the same', 'answer', { retain: true, properties: [correlationData(OWN)] }, false],
    ['another one', 'answer', { properties: fromOther }, false],
    ['none', 'answer', {}, true],
  ];
  test.each(GIVEN)('correlation data were given, and the message has %s', (_, topic, changes, answers) => {
    const request = new Request(QUESTION, settings([correlationData(OWN)]));
    expect(request.isAnsweredBy(message(topic, 'x', changes))).toBe(answers);
  });

  // biome-ignore format: one row a line
  const IGNORING: readonly Case[] = [
    ['new', 'answer', {}, true],
    ['retained', 'answer', retained, false],
    ['retained on another topic', 'x', retained, false],
  ];
  test.each(IGNORING)('-R, %s', (_, topic, changes, answers) => {
    const request = new Request(QUESTION, settings([], { ignoreRetained: true }));
    expect(request.isAnsweredBy(message(topic, 'x', changes))).toBe(answers);
  });

  test.each<Case>([
    ['new', 'x', {}, true],
    ['retained', 'answer', retained, false],
  ])('before MQTT 5, %s', (_, topic, changes, answers) => {
    const request = new Request(QUESTION, settings([], { protocolVersion: 4 }));
    expect(request.isAnsweredBy(message(topic, 'x', changes))).toBe(answers);
  });
});
