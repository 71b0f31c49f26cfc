import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";

export function useConsentTexts() {
  return useQuery({
    queryKey: ["consent-texts"],
    queryFn: () => unwrap(api.GET("/api/consents")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
