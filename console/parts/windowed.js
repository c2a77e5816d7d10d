// A long list of which only the visible part is in the document.
import { html, useEffect, useRef, useState } from '../core/view.js'

const MARGIN = 10

/**
 * Shows `count` rows of equal height. `row` renders one by its index; `end` is called when the last
 * rows come into view. `view` gets `{ show(index) }`, which scrolls to a row.
 */
export function Windowed({ count, height, row, end, view, follow, moved, ...rest }) {
  const element = useRef(/** @type {any} */ (null))
  const [first, setFirst] = useState(0)
  const [visible, setVisible] = useState(40)
  const measure = () => {
    const { scrollTop, clientHeight, scrollHeight } = element.current
    setFirst(Math.floor(scrollTop / height))
    setVisible(Math.ceil(clientHeight / height))
    if (scrollTop + 3 * clientHeight > scrollHeight) end?.()
    moved?.(scrollTop + clientHeight >= scrollHeight - height)
  }
  useEffect(() => {
    const observer = new ResizeObserver(measure)
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [height])
  useEffect(() => {
    if (follow) element.current.scrollTop = element.current.scrollHeight
    measure()
  }, [count, height, follow])
  if (view) view.current = { show: index => { element.current.scrollTop = (index - 4) * height } }
  const from = Math.max(0, Math.min(first, count) - MARGIN)
  const to = Math.min(count, first + visible + MARGIN)
  const shown = Array.from({ length: Math.max(0, to - from) }, (_, index) => row(from + index))
  return html`
    <div ref=${element} onScroll=${measure} tabindex="0" ...${rest}>
      <div role="presentation" style=${{ paddingTop: `${from * height}px`, paddingBottom: `${(count - to) * height}px` }}>${shown}</div>
    </div>`
}
