import { createHash, hash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, constants as fileFlags, renameSync } from 'node:fs';
import { type FileHandle, link, mkdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../runtime/errors.ts';
import {
  type ContentSource,
  identifyFile,
  isMissing,
  isOwnerAlive,
  openInside,
  ownOwnerId,
  readChunks,
  readFileInside,
  withEntry,
} from '../workspace/index.ts';
import { CHUNK_BYTES, CODECS, type Codec, pack, packer, SYNC_BYTES, unpack, unpacker } from './blob-codec.ts';
import { lost, namesIn, OverBudget, writeAt, writeNew } from './blob-io.ts';

/** A content that is ready to be put among the blobs, once the index speaks of it. */
export interface StagedBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  /** Puts it in its place unless it is there already. */
  place(): Promise<void>;
  /** Forgets it, when it will not be placed. */
  discard(): Promise<void>;
}

const MAX_KNOWN = 10_000;
/** Incoming files of instances that cannot be looked up are older than any capture after this time. */
const STALE_INCOMING_MS = 24 * 3600_000;

/** Content-addressed files in `<stateDir>/blobs/`, named by the SHA-256 of what they hold, compressed. */
export class Blobs {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #trash: string;
  /** Contents that are surely in place, with what they take there. */
  readonly #known = new Map<string, number>();
  #ready: Promise<void> | undefined;
  /** True at first: a killed process may have left some. */
  #hasTrash = true;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, 'blobs');
    this.#incoming = join(this.#folder, 'incoming');
    this.#trash = join(this.#folder, 'trash');
  }

  async fromBytes(bytes: Uint8Array): Promise<StagedBlob> {
    const sha256 = hash('sha256', bytes, 'hex');
    const sizeBytes = bytes.length;
    const known = this.#known.get(sha256);
    // Compressing a small content again takes less time than looking whether it is there.
    const found = known ?? (sizeBytes > SYNC_BYTES ? (await this.#find(sha256))?.storedBytes : undefined);
    const packed = found === undefined ? await pack(bytes) : undefined;
    const place = async () => {
      if (this.#known.has(sha256) || (sizeBytes > SYNC_BYTES && (await this.has(sha256)))) return;
      const { codec, stored } = packed ?? (await pack(bytes));
      const path = await this.#newIncoming();
      await writeNew(path, stored);
      await this.#put(path, sha256, codec);
      this.#remember(sha256, stored.length);
    };
    return {
      sha256,
      sizeBytes,
      storedBytes: found ?? packed?.stored.length ?? 0,
      place,
      discard: async () => {},
    };
  }

  /** Another instance wrote to the index: what is among the blobs must be looked up again. */
  forgetKnown(): void {
    this.#known.clear();
  }

  async fromSmallFile(file: string): Promise<StagedBlob> {
    return this.fromBytes(await readFileInside(file));
  }

  /** Reads and compresses a file of any size in passing. */
  async fromFile(file: string, maxStoredBytes: number): Promise<StagedBlob> {
    const path = await this.#newIncoming();
    const digest = createHash('sha256');
    let sizeBytes = 0;
    let storedBytes = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        digest.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    const bound = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        storedBytes += chunk.length;
        done(storedBytes > maxStoredBytes ? new OverBudget() : null, chunk);
      },
    });
    const source = await openInside(file, fileFlags.O_RDONLY | (fileFlags.O_NONBLOCK ?? 0));
    try {
      await pipeline(
        readChunks(source, CHUNK_BYTES),
        count,
        packer(),
        bound,
        createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      );
    } catch (error) {
      await unlink(path).catch(() => {});
      throw error;
    } finally {
      await source.close();
    }
    return this.#stagedFile(path, digest.digest('hex'), sizeBytes, storedBytes, 'zst');
  }

  /**
   * Keeps a file that is about to be replaced or removed by giving it a second name, which costs nothing.
   * @returns undefined where that is not possible (another file system, not our file)
   */
  async fromLink(file: string, bytes: Uint8Array | undefined): Promise<StagedBlob | undefined> {
    const path = await this.#newIncoming();
    try {
      await withEntry(file, (entry) => link(entry, path));
    } catch {
      return undefined;
    }
    const { sha256, sizeBytes } = bytes
      ? { sha256: hash('sha256', bytes, 'hex'), sizeBytes: bytes.length }
      : await identifyFile(path).catch(async (error: unknown) => {
          await unlink(path).catch(() => {});
          throw error;
        });
    return this.#stagedFile(path, sha256, sizeBytes, sizeBytes, 'raw');
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.#find(sha256)) !== undefined;
  }

  /** @throws {CodedError} NOT_AVAILABLE when it is gone or spoilt */
  async read(sha256: string): Promise<Buffer> {
    const found = await this.#find(sha256);
    if (!found) throw lost(sha256);
    const stored = await readFile(found.path);
    const bytes = await unpack(stored, found.codec).catch(() => undefined);
    if (!bytes || hash('sha256', bytes, 'hex') !== sha256) throw lost(sha256);
    return bytes;
  }

  /** The content for writing it somewhere without holding it in memory; checked while it is written. */
  source(sha256: string, sizeBytes: number): ContentSource {
    return {
      sha256,
      sizeBytes,
      writeTo: async (handle: FileHandle) => {
        const found = await this.#find(sha256);
        if (!found) throw lost(sha256);
        const digest = createHash('sha256');
        let position = 0;
        const write = new Writable({
          highWaterMark: CHUNK_BYTES,
          write(chunk: Buffer, _encoding, done) {
            digest.update(chunk);
            writeAt(handle, chunk, position).then(() => done(), done);
            position += chunk.length;
          },
        });
        const read = createReadStream(found.path, { highWaterMark: CHUNK_BYTES });
        try {
          if (found.codec === 'raw') await pipeline(read, write);
          else await pipeline(read, unpacker(), write);
        } catch (error) {
          throw systemCode(error)?.startsWith('ZSTD') ? lost(sha256) : error;
        }
        if (digest.digest('hex') !== sha256) throw lost(sha256);
      },
    };
  }

  /**
   * Takes a blob out of its place. Synchronous because it must happen inside of the index's transaction: whoever
   * refers to the same content next must not find a file that is about to go. emptyTrash does the rest.
   */
  moveToTrash(sha256: string): () => void {
    const moved: [string, string][] = [];
    this.#known.delete(sha256);
    for (const codec of CODECS) {
      const path = this.#path(sha256, codec);
      const trash = join(this.#trash, `${sha256}.${randomBytes(4).toString('hex')}`);
      try {
        renameSync(path, trash);
        this.#hasTrash = true;
        moved.push([trash, path]);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return () => {
      for (const [trash, path] of moved) renameSync(trash, path);
    };
  }

  async emptyTrash(): Promise<void> {
    if (!this.#hasTrash) return;
    this.#hasTrash = false;
    for (const name of await namesIn(this.#trash)) await unlink(join(this.#trash, name)).catch(() => {});
  }

  /** Removes what killed processes left among the incoming files. */
  async removeStaleIncoming(): Promise<void> {
    for (const name of await namesIn(this.#incoming)) {
      const path = join(this.#incoming, name);
      const owner = name.split('.')[0] ?? '';
      const beganMs = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      );
      const old = Date.now() - beganMs > STALE_INCOMING_MS;
      if (old || !(await isOwnerAlive(owner, beganMs))) await unlink(path).catch(() => {});
    }
  }

  /** Makes the folders; also needed before moveToTrash. */
  ready(): Promise<void> {
    this.#ready ??= (async () => {
      for (const folder of [this.#incoming, this.#trash])
        await mkdir(folder, { recursive: true, mode: 0o700 });
    })();
    return this.#ready;
  }

  #stagedFile(
    path: string,
    sha256: string,
    sizeBytes: number,
    storedBytes: number,
    codec: Codec,
  ): StagedBlob {
    const discard = () => unlink(path).catch(() => {});
    const place = async () => ((await this.has(sha256)) ? discard() : this.#put(path, sha256, codec));
    return { sha256, sizeBytes, storedBytes, place, discard };
  }

  #remember(sha256: string, storedBytes: number): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(sha256, storedBytes);
  }

  async #put(incoming: string, sha256: string, codec: Codec): Promise<void> {
    const target = this.#path(sha256, codec);
    try {
      await rename(incoming, target);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
      await rename(incoming, target);
    }
  }

  async #find(sha256: string): Promise<{ path: string; codec: Codec; storedBytes: number } | undefined> {
    for (const codec of CODECS) {
      const path = this.#path(sha256, codec);
      try {
        return { path, codec, storedBytes: (await stat(path)).size };
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return undefined;
  }

  #path(sha256: string, codec: Codec): string {
    return join(this.#folder, sha256.slice(0, 2), `${sha256.slice(2)}.${codec}`);
  }

  async #newIncoming(): Promise<string> {
    const [owner] = await Promise.all([ownOwnerId(), this.ready()]);
    return join(this.#incoming, `${owner}.${randomBytes(6).toString('hex')}`);
  }
}
