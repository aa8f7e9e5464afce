// Loaded before the broker with --expose-gc: a line on stdin is answered on stderr with the bytes of the heap that are in
// use and not garbage, and with those of buffers outside of it.
process.stdin.on('data', async () => {
  // What a turn of the event loop still holds is let go in the next one.
  for (let times = 0; times < 4; times++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`heap ${heapUsed + external}\n`);
});
