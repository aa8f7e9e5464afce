/** A packet that may take more than one turn of the event loop. Those behind it wait until it is done. */
export interface LongPacket {
  /** Works until `WorkQueue.spent()` says so; true: it is done. */
  goOn(): boolean;
}
