// aedes as a broker of its own, for the comparison: `node aedes-broker.mjs PORT`.
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const broker = await Aedes.createBroker();
createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1', 8192, () => {
  console.error('aedes running');
});
