/** Topic Aliases that the caller chose (3.3.2.3.4), as far as the server knows them on this connection. */
export class UsedTopicAliases {
  #topics: Map<number, string> | undefined;

  /** True: the server knows that this alias stands for this topic, so the topic can stay empty. Otherwise it will. */
  knows(alias: number, topic: string): boolean {
    this.#topics ??= new Map();
    if (this.#topics.get(alias) === topic) return true;
    this.#topics.set(alias, topic);
    return false;
  }

  /** Whether any was used on this connection. */
  get any(): boolean {
    return this.#topics !== undefined;
  }

  topicOf(alias: number): string | undefined {
    return this.#topics?.get(alias);
  }

  clear(): void {
    this.#topics = undefined;
  }
}
