import type { Json } from './merge-patch.ts';

/** A twin as the hub stores it. */
export interface TwinDocument {
  readonly desired: Json;
  readonly reported: Json;
}

/** A message for a route: a body that is sent as JSON, and application properties to filter by. */
export interface OutputMessage {
  readonly output: string;
  readonly body: unknown;
  readonly properties: Readonly<Record<string, string>>;
  /** The number of messages that this one stands for, which were left out. */
  readonly leftOut?: number | undefined;
}

/** Handlers of direct methods, by name. `payload` is parsed JSON, or undefined for an empty body. */
export type Methods = Readonly<Record<string, (payload: unknown) => Promise<MethodAnswer>>>;

/** `status` is an HTTP status; `payload` is sent as JSON. */
export interface MethodAnswer {
  readonly status: number;
  readonly payload: unknown;
}

/** One connection to edgeHub, from open to close. It never reconnects: a new session replaces it. */
export interface Session {
  /** What users should know about how it is connected. */
  readonly notice?: string | undefined;
  /** The first read also subscribes to patches, so no later change is missed. */
  readTwin(): Promise<TwinDocument>;
  /** Resolves once the hub has acknowledged the patch; rejects with a {@link PatchRejected} when the hub rejected it. */
  update(patch: Json): Promise<void>;
  /** Resolves once edgeHub has stored the message. */
  send(message: OutputMessage): Promise<void>;
  /** Closes the connection; destroys it when the signal fires. */
  close(signal: AbortSignal): Promise<void>;
}

export interface SessionEvents {
  /** A patch of the desired properties, `$version` included. */
  onDesired(patch: Json): void;
  /** A patch of the desired properties arrived, but cannot be read. */
  onMissed(error: Error): void;
  /** While the session is being opened: what is waited for next. */
  onAwait(awaited: AwaitedStep): void;
  /** The connection was lost, without an error when it was closed. */
  onEnd(error: Error | undefined): void;
  onError(error: unknown): void;
}

/** The part of a logger that is used; an error goes under `err`. */
export interface HubLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Opens a session that handles these methods. The signal ends the attempt. */
export type OpenSession = (methods: Methods, events: SessionEvents, signal: AbortSignal) => Promise<Session>;

/** What edgeHub wants to know of a module, and what the module needs to trust edgeHub. */
export interface Credentials {
  /** The IoT hub. */
  readonly host: string;
  /** The name of edgeHub, with an optional port; without it, the module connects to the IoT hub itself. */
  readonly gateway?: string | undefined;
  readonly device: string;
  readonly module: string;
  /** A shared access signature that is valid for an hour. */
  readonly token: string;
  /** PEM of the authorities to trust; without it, those of Node.js. */
  readonly ca?: string | undefined;
}

/** Where a session gets its credentials from. */
export interface CredentialSource {
  /** Of errors: `the workload API`, or another source. */
  readonly name: string;
  /** What a failure of this source means. */
  readonly failure: HubReason;
  get(signal: AbortSignal): Promise<Credentials>;
}

/** Why there is no connection. `offline` is everything that the others are not. */
export type HubReason = 'offline' | 'not_authorized' | 'certificate_rejected' | 'workload_api_failed';

/** What the remedy depends on where the reason does not say enough. */
export type HubDetail =
  | 'wrong_name'
  | 'wrong_time'
  /** edgeHub accepts no more connections. */
  | 'unavailable'
  /** edgeHub does not answer the request for the twin. */
  | 'no_twin'
  /** edgeHub closes the connection at a message. */
  | 'no_messages'
  | 'throttled';

/** Something that the opening of a session waits for, and what it means when it does not come. */
export interface AwaitedStep {
  readonly reason: HubReason;
  readonly detail?: HubDetail;
  /** The beginning of a sentence that goes on with a duration: `The workload API has not answered`. */
  readonly missing: string;
}

/** A failure of a session, with its reason. */
export class HubError extends Error {
  override readonly name: string = 'HubError';
  readonly reason: HubReason;
  readonly detail: HubDetail | undefined;

  constructor(reason: HubReason, message: string, cause?: unknown, detail?: HubDetail) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.detail = detail;
  }
}

/** The hub did not accept a patch of reported properties. The session goes on. */
export class PatchRejected extends Error {
  override readonly name = 'PatchRejected';
  readonly detail: HubDetail | undefined;

  constructor(message: string, cause?: unknown, detail?: HubDetail) {
    super(message, cause === undefined ? undefined : { cause });
    this.detail = detail;
  }
}

/** The detail of an error that has one. */
export const detailOf = (error: unknown): HubDetail | undefined =>
  error instanceof HubError || error instanceof PatchRejected ? error.detail : undefined;
