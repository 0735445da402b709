/** Sends a file to the kernel in parts, each small enough for any server's limit on a message. */

/** Jupyter servers take messages of 10 MB. */
export const PART_BYTES = 1 << 20;

export interface Part {
  readonly type: "part";
  readonly cid: string;
  /** Number of the file, among those of this view. */
  readonly upload: number;
  /** Place among the parts. */
  readonly place: number;
}

/**
 * Sends all parts, in order, unless another file takes over meanwhile.
 *
 * @returns whether all were sent
 */
export async function sendFile(
  file: Blob,
  cid: string,
  upload: number,
  send: (part: Part, bytes: ArrayBuffer) => void,
  isCurrent: () => boolean,
): Promise<boolean> {
  for (let place = 0; place * PART_BYTES < file.size; place++) {
    const start = place * PART_BYTES;
    const bytes = await file.slice(start, start + PART_BYTES).arrayBuffer();
    if (!isCurrent()) return false;
    send({ type: "part", cid, upload, place }, bytes);
  }
  return true;
}
