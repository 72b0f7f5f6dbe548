import { connect, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

/**
 * One end of many short TCP connections, as a process in a workload's namespace. `serve ADDRESS PORT` accepts until it is ended;
 * `connect ADDRESS PORT MILLISECONDS` opens connections, a few at a time, resets each as soon as it stands, and prints how many a second
 * there were.
 */

const [role = '', address = '', portText = '0', duration = '0'] = process.argv.slice(2);
const port = Number(portText);
const AT_ONCE = 16;

/** The other side resets: that is how each of these connections ends. */
function ignoreReset(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET') throw error;
  });
}

function serve(): void {
  const server = createServer(ignoreReset);
  server.listen({ host: address, port, backlog: 1_024 }, () => process.stdout.write('ready\n'));
}

function connectForAWhile(): void {
  const begun = performance.now();
  let count = 0;
  let open = 0;
  const next = (): void => {
    if (performance.now() - begun > Number(duration)) {
      open -= 1;
      if (open === 0) process.stdout.write(`${(count / (performance.now() - begun)) * 1_000}\n`);
      return;
    }
    const socket = connect({ host: address, port, noDelay: true }, () => {
      count += 1;
      socket.resetAndDestroy();
      next();
    });
  };
  for (open = 0; open < AT_ONCE; open += 1) next();
}

if (role === 'serve') serve();
else connectForAWhile();
