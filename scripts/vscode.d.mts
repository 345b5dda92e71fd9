/** A served VS Code that runs. */
export interface ServedVSCode {
  /** http://HOST */
  readonly url: string;
  readonly host: string;
  /** Its own data folder; gone after `stop`. */
  readonly data: string;
  readonly extensions: string;
  /** What it printed, without the noise of being offline. */
  log(): string;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** The packed extension, installed as a user would. */
  readonly vsix?: string;
  /** Path of a model that the first window opens by itself, once Headroom is registered. */
  readonly open?: string;
  /** Lets a test payload in the address through; notifications then stay behind the bell. */
  readonly testDriver?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export function installVSCode(): void;
export function startVSCode(options?: StartOptions): Promise<ServedVSCode>;
export function unpackVsix(vsix: string, extensions: string): string;
export function zipEntries(zip: Buffer): Generator<{ readonly name: string; bytes(): Buffer }>;
