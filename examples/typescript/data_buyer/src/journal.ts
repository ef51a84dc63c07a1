/** What must be on disk before what is sent: one folder for one purchase. */

import { mkdirSync, readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "./bytes.js";

/** Named records, each written whole or not at all. */
export class Journal {
  /** The folder is made where there is none; its user alone may read it. */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** A record, or undefined. */
  get(name: string): Bytes | undefined {
    try {
      return Uint8Array.from(readFileSync(join(this.folder, name)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** A record as text, or undefined. */
  text(name: string): string | undefined {
    const bytes = this.get(name);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Keep a record; once this returns it is there after a power failure, too. */
  async put(name: string, record: Uint8Array | string): Promise<void> {
    const path = join(this.folder, name);
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(record);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await this.sync();
  }

  private async sync(): Promise<void> {
    const folder = await open(this.folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Forget a record. */
  async remove(name: string): Promise<void> {
    await rm(join(this.folder, name), { force: true });
    await this.sync();
  }
}
