import { request } from 'node:http';
import * as v from 'valibot';
import { CalicoError, UnavailableError } from '../base/errors.js';
import { failureFromAnswer } from './failures.js';
import {
  type AddressesRequest,
  attachedWorkload,
  type AttachedWorkload,
  type AttachRequest,
  detachedWorkload,
  type DetachedWorkload,
  failure,
  LOCAL_API_SOCKET,
  nodeHealth,
  type NodeHealth,
  nodeStatus,
  type NodeStatus,
  type RemovalRequest,
  workload,
  type Workload,
  workloadList,
  type WorkloadList,
} from './protocol.js';

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 30_000;

/** Namespace and name of a WorkloadEndpoint. */
export interface WorkloadIdentity {
  readonly namespace: string;
  readonly name: string;
}

function pathOf({ namespace, name }: WorkloadIdentity): string {
  return `/v1/workloads/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

/**
 * Asks the `calico-node` of this host. Every method throws UnavailableError `ERR_CALI_LOCAL_UNREACHABLE` when none listens, and what
 * the server failed with, as the same class.
 */
export class LocalApiClient {
  readonly #socketPath: string;

  constructor(socketPath: string = LOCAL_API_SOCKET) {
    this.#socketPath = socketPath;
  }

  async status(): Promise<NodeStatus> {
    return this.#read(nodeStatus, await this.#ask({ method: 'GET', path: '/v1/status' }));
  }

  /** Also when it is not ready. */
  async health(): Promise<NodeHealth> {
    const reply = await this.#ask({ method: 'GET', path: '/v1/health' });
    return this.#read(nodeHealth, reply.status === 503 ? { ...reply, status: 200 } : reply);
  }

  /** Connects a network namespace to this host; doing it again gives the same. */
  async attach(body: AttachRequest): Promise<AttachedWorkload> {
    return this.#read(attachedWorkload, await this.#ask({ method: 'POST', path: '/v1/workloads', body }));
  }

  async detach(identity: WorkloadIdentity): Promise<DetachedWorkload> {
    return this.#read(detachedWorkload, await this.#ask({ method: 'DELETE', path: pathOf(identity) }));
  }

  /** The workloads of this host, whoever attached them. */
  async workloads(): Promise<WorkloadList> {
    return this.#read(workloadList, await this.#ask({ method: 'GET', path: '/v1/workloads' }));
  }

  async workload(identity: WorkloadIdentity): Promise<Workload> {
    return this.#read(workload, await this.#ask({ method: 'GET', path: pathOf(identity) }));
  }

  /** More addresses for a workload that is attached; one it has is no failure. */
  async addAddresses(identity: WorkloadIdentity, body: AddressesRequest): Promise<Workload> {
    const path = `${pathOf(identity)}/addresses`;
    return this.#read(workload, await this.#ask({ method: 'POST', path, body }));
  }

  async removeAddress(identity: WorkloadIdentity, address: string, body: RemovalRequest): Promise<Workload> {
    const path = `${pathOf(identity)}/addresses/${encodeURIComponent(address)}`;
    return this.#read(workload, await this.#ask({ method: 'DELETE', path, body }));
  }

  #read<T>(schema: v.GenericSchema<unknown, T>, { status, text }: Reply): T {
    const value = this.#parse(text);
    if (status >= 400) {
      const failed = v.safeParse(failure, value);
      if (failed.success) throw failureFromAnswer(status, failed.output);
    }
    const read = v.safeParse(schema, value);
    if (status < 400 && read.success) return read.output;
    throw this.#strange(`status ${status}`);
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw this.#strange('no JSON');
    }
  }

  #strange(what: string): CalicoError {
    return new CalicoError('ERR_CALI_LOCAL_ANSWER', `what listens on ${this.#socketPath} is no calico-node: ${what}`);
  }

  #ask({ method, path, body }: Call): Promise<Reply> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        reject(
          new UnavailableError('ERR_CALI_LOCAL_UNREACHABLE', `no calico-node answers on ${this.#socketPath}`, {
            hint: 'start calico-node on this host',
            cause,
          }),
        );
      };
      const asked = request(
        {
          socketPath: this.#socketPath,
          method,
          path,
          timeout: TIMEOUT_MS,
          agent: false,
          headers: { host: 'calico', ...(payload === undefined ? {} : { 'content-type': 'application/json' }) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', refuse);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
        },
      );
      asked.once('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1_000} s`)));
      asked.once('error', refuse);
      asked.end(payload);
    });
  }
}
