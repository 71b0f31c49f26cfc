import { useMutation } from "@tanstack/react-query";
import type { Filter } from "@/api/attendance";
import { send } from "@/api/client";
import { download } from "@/shared/download";
import { toast } from "@/shared/toast";

/** The server writes the file, with the columns that it also imports. */
async function save(filter: Filter): Promise<void> {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value) as [string, string][]);
  const answer = await send(`/api/attendance/get-attendance?${query}`, { headers: { Accept: "text/csv" } });
  const range = [filter.date_from, filter.date_to].filter(Boolean).join("_");
  download(`attendance${range && `_${range}`}.csv`, await answer.blob());
}

export function useCsv(filter: Filter) {
  return useMutation({
    mutationFn: () => toast.follow("Writing the file …", save(filter), () => "The file is saved."),
  });
}
