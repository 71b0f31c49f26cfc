import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { HeadCells, RowCells, type TableProps } from "./Cells";
import classes from "./DataTable.module.css";

const ROW_PX = 45;

/** Holds only the rows that are seen, and tells how many there are. */
export default function LongTable<T>({ caption, columns, rows, rowKey }: TableProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const seen = virtual.getVirtualItems();
  const above = seen[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (seen.at(-1)?.end ?? 0);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls needs the keyboard
    <div ref={scroller} className={classes.scroller} role="region" aria-label={caption} tabIndex={0}>
      <table role="table" aria-rowcount={rows.length + 1} className={classes.table}>
        <caption className="visually-hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            <HeadCells columns={columns} />
          </tr>
        </thead>
        <tbody role="rowgroup">
          <Spacer height={above} />
          {seen.map(({ index, key }) => (
            <tr key={key} ref={virtual.measureElement} data-index={index} role="row" aria-rowindex={index + 2} data-row={rowKey(rows[index]!)}>
              <RowCells columns={columns} row={rows[index]!} />
            </tr>
          ))}
          <Spacer height={below} />
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ height }: { height: number }) {
  return height > 0 ? <tr aria-hidden style={{ height, padding: 0 }} /> : null;
}
