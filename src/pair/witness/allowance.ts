/** How much of something each sender may have: a bucket that fills with time. Pure but for its memory, which is bounded. */

export interface Allowance {
  /** Takes one; false when the sender has used up what it may have. @param now ms of a monotonic clock */
  take(sender: string, now: number): boolean
}

/**
 * @param perSecond how fast a bucket fills
 * @param burst how much it holds
 * @param senders buckets kept at most; with more senders than that, the oldest bucket is given to a new one
 */
export function createAllowance(perSecond: number, burst: number, senders: number): Allowance {
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    take(sender, now) {
      const bucket = buckets.get(sender)
      const left =
        bucket === undefined ? burst : Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * perSecond)
      buckets.delete(sender)
      if (buckets.size >= senders) {
        const [oldest] = buckets.keys()
        if (oldest !== undefined) buckets.delete(oldest)
      }
      buckets.set(sender, { left: left >= 1 ? left - 1 : left, at: now })
      return left >= 1
    },
  }
}
