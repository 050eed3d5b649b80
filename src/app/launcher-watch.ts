import { fstatSync } from "node:fs";
import { Socket } from "node:net";

/**
 * Calls back once when the launcher that started this process is gone, also by `kill -9`: the server then stops as on
 * SIGTERM. Without a launcher (it became this process, or none was used) nothing is ever called.
 *
 * The launcher (`bin/launcher/hand-over.js`) names in MAILKEEP_LAUNCHER_FD one end of a pipe whose other end only it
 * holds. Nothing is written to it: end-of-file is the message. Call this once, on the main thread.
 */
export function watchLauncher(onGone: () => void): Disposable {
  const descriptor = Number(process.env["MAILKEEP_LAUNCHER_FD"] ?? Number.NaN);
  // A child of ours must not take the number for a descriptor of its own.
  delete process.env["MAILKEEP_LAUNCHER_FD"];
  if (!isPipe(descriptor)) return { [Symbol.dispose]: () => undefined };

  const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
  pipe.once("close", onGone);
  pipe.on("error", () => {
    // A reset says the same as end-of-file, and `close` follows either.
  });
  pipe.resume();
  // Waiting for the launcher is no reason to stay.
  pipe.unref();
  return {
    [Symbol.dispose]: () => {
      pipe.off("close", onGone);
      pipe.destroy();
    },
  };
}

function isPipe(descriptor: number): boolean {
  if (!Number.isInteger(descriptor) || descriptor < 3) return false;
  try {
    const status = fstatSync(descriptor);
    return status.isSocket() || status.isFIFO();
  } catch {
    return false;
  }
}
