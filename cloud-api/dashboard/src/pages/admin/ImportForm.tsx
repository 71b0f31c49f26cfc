import { Button, FileInput, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { DataTable } from "@/shared/DataTable";
import { FormError } from "@/shared/FormError";
import { Section } from "@/shared/Section";
import { count, plural } from "@/shared/format";
import { toast } from "@/shared/toast";

const take = async (file: File) =>
  unwrap(
    api.POST("/api/attendance/import", {
      body: await file.text(),
      bodySerializer: (body) => body,
      headers: { "Content-Type": "text/csv" },
    }),
  );

/** Records from a CSV file: what is sound is taken, and the rest is listed. */
export default function ImportForm() {
  const [file, setFile] = useState<File | null>(null);
  const queries = useQueryClient();
  const importing = useMutation({
    mutationFn: (chosen: File) => toast.follow("Reading the file …", take(chosen), ({ imported }) => `${plural(imported, "record")} taken.`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["attendance"] }),
  });
  const done = importing.data;
  return (
    <Section title="Records from a CSV file" note="Columns: Date, Time, Status, Name, ID, Confidence, Liveness_Verified, Session_ID. Date, Status and one of Name and ID are needed.">
      <Stack>
        <FileInput label="File" placeholder="Choose a CSV file, up to 8 MB" accept=".csv,text/csv" value={file} onChange={setFile} maw={420} />
        <FormError error={importing.error} />
        <Button style={{ alignSelf: "start" }} disabled={!file} loading={importing.isPending} onClick={() => file && importing.mutate(file)}>
          Import
        </Button>
        {done && (
          <Text role="status">
            {count(done.imported)} taken, {count(done.duplicates)} were there already, {plural(done.people_added, "person", "people")} added,{" "}
            {plural(done.rejected.length, "line")} not taken.
          </Text>
        )}
        {done && done.rejected.length + done.notes.length > 0 && (
          <DataTable
            caption="Lines that were not taken, and notes"
            rows={[...done.rejected, ...done.notes]}
            rowKey={({ line, code }) => `${line} ${code}`}
            columns={[
              { key: "line", header: "Line", numeric: true, cell: ({ line }) => count(line) },
              { key: "code", header: "Code", cell: ({ code }) => code },
              { key: "detail", header: "What is wrong", cell: ({ detail }) => detail },
            ]}
          />
        )}
      </Stack>
    </Section>
  );
}
