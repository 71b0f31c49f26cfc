-- The flag that uploads go by is the newest word of the history. Who has not consented themselves yet stays without.
UPDATE users SET tracking_consent = newest.granted
FROM (
    SELECT user_id, granted, row_number() OVER (PARTITION BY user_id ORDER BY at DESC, id DESC) AS place
    FROM consents WHERE kind = 'tracking'
) AS newest
WHERE newest.user_id = users.id AND newest.place = 1 AND tracking_consent <> newest.granted
    AND (awaits_consent = FALSE OR newest.granted = FALSE);
