import type { MessagePort } from "node:worker_threads";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { LogControl } from "./log-control.ts";

/** The main thread's ends of the ports by which the other threads hand over their lines, one for each slot. */
export class ThreadLines {
  readonly #control: LogControl;
  readonly #accept: (text: string) => void;
  readonly #ports = new Map<number, MessagePort>();

  /** `accept` is given whole lines, one or more at once. */
  constructor(control: LogControl, accept: (text: string) => void) {
    this.#control = control;
    this.#accept = accept;
  }

  /** Gives the thread's end for this slot; what a former thread of the slot left behind is taken first. */
  open(slot: number): MessagePort {
    const former = this.#ports.get(slot);
    if (former !== undefined) this.#drain(former);
    former?.close();
    const { port1, port2 } = new MessageChannel();
    port1.on("message", (text: string) => this.#take(text));
    // Waiting for lines is no reason to stay.
    port1.unref();
    this.#ports.set(slot, port1);
    return port2;
  }

  /** Takes at once what the threads have handed over. */
  drain(): void {
    for (const port of this.#ports.values()) this.#drain(port);
  }

  close(): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }

  #drain(port: MessagePort): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.#take(next.message as string);
    }
  }

  #take(text: string): void {
    this.#control.addTransit(-text.length);
    this.#accept(text);
  }
}
