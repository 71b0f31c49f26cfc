import { type Column, HeadCells, RowCells } from "./Cells";
import classes from "./DataTable.module.css";

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

/** A table that stays one for screen readers; on a phone each row becomes a block with its labels. */
export function DataTable<T>({ caption, columns, rows, rowKey }: Props<T>) {
  return (
    <table className={classes.table} role="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <HeadCells columns={columns} />
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row">
            <RowCells columns={columns} row={row} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}
