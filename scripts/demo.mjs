// Shows the main job once: a broker that needs no set-up, a subscriber, a publisher, and the message.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { programFile } from './build.mjs';

const TIMEOUT_MS = 10_000;
const topic = 'hello/world';
const text = 'Hello, World';

/** The usual port where it is free, so that the commands below work as printed; another one otherwise. */
async function freePort(wanted) {
  const port = await new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen(wanted, '127.0.0.1', () => {
      const taken = server.address().port;
      server.close(() => resolve(taken));
    });
  });
  return port ?? freePort(0);
}

function start(program, args) {
  const child = spawn(process.execPath, [programFile(program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: code ?? signal, stdout: Buffer.concat(output).toString() }),
    );
  });
  return { child, ended };
}

/** Resolves when somebody listens on the port: the subscriber hosts the broker then. */
async function listening(port, subscriber) {
  let over = false;
  subscriber.ended.then(() => {
    over = true;
  });
  while (!over) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('close', () => socket.destroy());
      setTimeout(() => socket.destroy(), 1000).unref();
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const port = await freePort(1883);
const where = port === 1883 ? '' : ` -p ${port}`;
const at = ['--local', '-p', String(port)];
if (port !== 1883) console.log(`\nPort 1883 is taken here, so this uses ${port}.`);
console.log(
  `\n$ tsmqtt-sub --local${where} -t '${topic}' -v -C 1 &      # hosts a broker on 127.0.0.1:${port}`,
);
const subscriber = start('tsmqtt-sub', [...at, '-t', topic, '-v', '-C', '1']);
const timer = setTimeout(() => {
  console.error(`Error: no message after ${TIMEOUT_MS / 1000} s.`);
  subscriber.child.kill();
  process.exit(1);
}, TIMEOUT_MS);
await listening(port, subscriber);

// Retained, so that it reaches the subscriber even if its subscription is a moment later.
console.log(`$ tsmqtt-pub --local${where} -t '${topic}' -m '${text}' -r`);
const published = await start('tsmqtt-pub', [...at, '-t', topic, '-m', text, '-r']).ended;
if (published.code !== 0) {
  console.error(`Error: tsmqtt-pub ended with ${published.code}.`);
  subscriber.child.kill();
  process.exit(1);
}
const received = await subscriber.ended;
clearTimeout(timer);
process.stdout.write(received.stdout);
if (received.code !== 0 || received.stdout !== `${topic} ${text}\n`) {
  console.error(`Error: tsmqtt-sub ended with ${received.code}.`);
  process.exit(1);
}

const bin = 'packages/tsmqtt/dist/bin';
console.log(`
That was a broker, a subscriber and a publisher, with nothing installed on this machine but Node.js.

Three to try next (two terminals):
  ${bin}/tsmqtt-sub --local -t '#' -v
  seq 1 100000 | ${bin}/tsmqtt-pub --local -t numbers -l -q 1
  ${bin}/tsmqtt-pub --help
`);
