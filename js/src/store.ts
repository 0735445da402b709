/** Frames kept in the page, bounded in bytes, the least recently used one out first. */

/** Bound of the frames that one view keeps. */
export const STORE_BYTES = 64 << 20;

export interface FrameKey {
  readonly epoch: number;
  readonly side: "output" | "input";
  readonly layer: string;
  readonly image: number;
  /** Device pixels of a tile, to which the kernel reduces larger maps. */
  readonly tile: number;
}

export function keyText(key: FrameKey): string {
  return `${key.epoch}|${key.side}|${key.image}|${key.tile}|${key.layer}`;
}

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

export class Store<T> {
  // A Map keeps the order of insertion, so its first key is the one used longest ago.
  readonly #entries = new Map<string, Entry<T>>();
  readonly limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number = STORE_BYTES) {
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Tells whether a frame is here, without counting as a use. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): T | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a frame; one larger than the whole store is kept alone, since it is being looked at. */
  put(key: string, value: T, bytes: number): void {
    const old = this.#entries.get(key);
    if (old) this.#bytes -= old.bytes;
    this.#entries.delete(key);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.limitBytes || oldest === key) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
