import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { type Column, HeadCells, RowCells } from "./Cells";
import { DataTable } from "./DataTable";
import classes from "./DataTable.module.css";

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

const SHORT = 60;
const ROW_PX = 45;

/** A table of any length: a long one holds only the rows that are seen, and tells how many there are. */
export function VirtualTable<T>(props: Props<T>) {
  return props.rows.length <= SHORT ? <DataTable {...props} /> : <LongTable {...props} />;
}

function LongTable<T>({ caption, columns, rows, rowKey }: Props<T>) {
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
