/**
 * A value that is made when it is first asked for. For what few runs of a program need: the tables of all modules
 * together take a millisecond of every start.
 */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
