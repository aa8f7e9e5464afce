// Scenarios one after the other.

/**
 * Runs them all, whatever becomes of one.
 *
 * @param ran Told of each scenario what came of it: `tables`, or `failed`, why not.
 * @returns How many failed.
 */
export async function runScenarios(names, scenarios, settings, ran) {
  let failures = 0;
  for (const name of names) {
    try {
      ran(name, { tables: await scenarios[name].run(settings) });
    } catch (error) {
      failures += 1;
      ran(name, { failed: error.message });
    }
  }
  return failures;
}
