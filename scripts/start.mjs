// `npm start`: install, build, and show the main job once.
import { install, root, run, runStep } from './steps.mjs';

const [major] = process.versions.node.split('.');
if (Number(major) < 20) {
  console.error(`Error: tsmqtt needs Node.js 20 or later, this is ${process.versions.node}.`);
  process.exit(1);
}
for (const step of [
  () => install(),
  () => runStep('build', process.execPath, ['scripts/build.mjs']),
  () => run(process.execPath, ['scripts/demo.mjs'], { cwd: root }),
]) {
  const code = await step();
  if (code !== 0) process.exit(code);
}
