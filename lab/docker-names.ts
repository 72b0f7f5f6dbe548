import { createSocket } from 'node:dgram';

/**
 * docker-names ADDRESS: a name server that knows no name (RFC 1035 section 4.1: the question comes back with "no such name"). Engines
 * ask it what they do not know themselves; without an answer each such name would cost ten seconds.
 */
const QUERY_HEADER = 12;
const RESPONSE_NO_SUCH_NAME = 0x8183;

const [, , address = '127.0.0.1'] = process.argv;
const server = createSocket(address.includes(':') ? 'udp6' : 'udp4');
server.on('message', (query, { address: from, port }) => {
  if (query.length < QUERY_HEADER) return;
  const answer = Buffer.from(query);
  answer.writeUInt16BE(RESPONSE_NO_SUCH_NAME, 2);
  server.send(answer, port, from);
});
server.bind(53, address);
