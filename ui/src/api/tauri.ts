import { Channel, invoke } from '@tauri-apps/api/core';

import type { Carrier, Pipe, PipeEvents } from './carrier';

/** The desktop app: the supervisor lives in the shell's own process. */
export class TauriCarrier implements Carrier {
  async open(events: PipeEvents): Promise<Pipe> {
    const channel = new Channel<unknown[]>();
    channel.onmessage = (batch) => {
      // Nothing in it: the other side has hung up.
      if (batch.length === 0) events.close();
      for (const message of batch) events.message(message);
    };
    const connection = await invoke<number>('connect', { channel });
    // The shell takes each call on a thread of its own: one at a time, so that they arrive in their order.
    let sent = Promise.resolve();
    return {
      send: (message) => {
        sent = sent.then(() => invoke<void>('send', { connection, message })).catch(() => events.close());
      },
      close: () => {
        channel.onmessage = () => {};
        void invoke('disconnect', { connection });
      },
    };
  }
}
