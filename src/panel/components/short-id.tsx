/** The end of a long id, which is the part that tells two of one moment apart; the whole of it for whoever points at it. */
export const ShortId = ({ id }: { id: string }) => (
  <code class="quiet" title={id} translate={false}>
    …{id.slice(-8)}
  </code>
)
