/** Frames kept in the page, bounded in bytes, the least recently used one out first. */

/** Bound of the layers that one view keeps. */
export const STORE_BYTES = 64 << 20;

export interface FrameKey {
  readonly epoch: number;
  readonly side: "output" | "input";
  readonly layer: string;
  readonly image: number;
  /** Device pixels of a tile, to which the kernel reduces larger maps. */
  readonly tile: number;
}

export function keyText({ epoch, side, layer, image, tile }: FrameKey): string {
  return `${epoch}|${side}|${image}|${tile}|${layer}`;
}

export interface Store<T> {
  /** Bytes kept now. */
  bytes(): number;
  /** Tells whether a frame is here, without counting as a use. */
  has(key: string): boolean;
  get(key: string): T | null;
  /** Keeps a frame; one larger than the whole store is kept alone, since it is being looked at. */
  put(key: string, value: T, bytes: number): void;
  clear(): void;
}

export function makeStore<T>(limitBytes: number): Store<T> {
  // A Map keeps the order of insertion, so its first key is the one used longest ago.
  const entries = new Map<string, { value: T; bytes: number }>();
  let total = 0;
  const remove = (key: string) => {
    const entry = entries.get(key);
    total -= entry?.bytes ?? 0;
    entries.delete(key);
    return entry;
  };
  const put = (key: string, value: T, bytes: number) => {
    remove(key);
    entries.set(key, { value, bytes });
    total += bytes;
    for (const oldest of entries.keys()) {
      if (total <= limitBytes || oldest === key) break;
      remove(oldest);
    }
  };
  return {
    put,
    bytes: () => total,
    has: (key) => entries.has(key),
    get(key) {
      const entry = remove(key);
      if (!entry) return null;
      put(key, entry.value, entry.bytes);
      return entry.value;
    },
    clear() {
      entries.clear();
      total = 0;
    },
  };
}
