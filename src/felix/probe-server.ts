import { createServer, type RequestListener } from 'node:http';
import type { CalicoError } from '../base/errors.js';

export interface ProbeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: RequestListener;
  /** What to throw when the address is taken or not ours. */
  readonly refused: (cause: Error) => CalicoError;
}

/** Answers probes over HTTP until the signal aborts, without keeping the process alive for it; resolves when it listens. */
export async function serveProbes(options: ProbeServerOptions, signal: AbortSignal): Promise<void> {
  const { host, port, answer, refused } = options;
  const server = createServer(answer);
  server.unref();
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => reject(refused(cause));
    server.once('error', refuse);
    // Where names are looked up IPv6 first, "localhost" would be ::1 alone, and the probes of orchestrators ask 127.0.0.1.
    server.listen(port, host === 'localhost' ? '127.0.0.1' : host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const close = (): void => void server.close();
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
}
