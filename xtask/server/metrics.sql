-- The relations that the metrics API serves, named and typed as production has them. There they are materialized
-- views of daily counts, so that any sum can be null. Here the counts are made up, but for those of the resources that
-- hydra has analysed: one download for each time that hydra fetched the file.
CREATE SCHEMA metric_counts;
CREATE SCHEMA metric;
SET search_path TO metric, metric_counts;

CREATE TABLE metric_counts.datasets (__id integer, dataset_id varchar, organization_id varchar, metric_month text,
                       monthly_visit bigint, monthly_download_resource numeric);
CREATE TABLE reuses (__id integer, reuse_id varchar, metric_month text, monthly_visit bigint);
CREATE TABLE organizations (__id integer, organization_id varchar, metric_month text, monthly_visit_dataset numeric,
                            monthly_download_resource numeric, monthly_visit_reuse numeric, monthly_visit_dataservice numeric);
CREATE TABLE metric_counts.resources (__id integer, resource_id varchar, dataset_id varchar, metric_month text,
                        monthly_download_resource bigint);
CREATE TABLE dataservices (__id integer, dataservice_id varchar, metric_month text, monthly_visit bigint);
CREATE TABLE site (__id integer, metric_month text, monthly_visit_dataset numeric, monthly_download_resource numeric,
                   monthly_visit_reuse numeric);
CREATE TABLE metric_counts.datasets_total (__id integer, dataset_id varchar, visit bigint, outlink bigint, download_resource numeric);
CREATE TABLE reuses_total (__id integer, reuse_id varchar, visit bigint, outlink bigint);
CREATE TABLE organizations_total (__id integer, organization_id varchar, visit_dataset numeric, download_resource numeric,
                                  visit_reuse numeric, visit_dataservice numeric, outlink bigint);
CREATE TABLE metric_counts.resources_total (__id integer, resource_id varchar, dataset_id varchar, download_resource bigint);
CREATE TABLE dataservices_total (__id integer, dataservice_id varchar, visit bigint);

CREATE TEMP TABLE m AS
  SELECT to_char(d, 'YYYY-MM') AS month, row_number() OVER (ORDER BY d)::int AS n
  FROM generate_series(date '2022-07-01', date '2026-11-01', interval '1 month') d;
CREATE TEMP TABLE o AS
  SELECT i, lpad(to_hex(x'5e0000'::int + i), 24, '0') AS oid FROM generate_series(1, 5) i;
CREATE TEMP TABLE ds AS
  SELECT i, CASE i WHEN 1 THEN '5b7ffc618b4c4169d30727e0' WHEN 2 THEN '6010206e7aa742eb447930f7'
                   ELSE lpad(to_hex(x'5d0000'::int + i), 24, '0') END AS did, (i % 5) + 1 AS org
  FROM generate_series(1, 40) i;

INSERT INTO datasets
  SELECT CASE WHEN (ds.i + m.n) % 17 = 0 THEN NULL ELSE (ds.i * 100 + m.n) END, ds.did,
         CASE WHEN ds.i % 7 = 0 THEN NULL ELSE o.oid END, m.month,
         CASE WHEN (ds.i + m.n) % 17 = 0 THEN NULL ELSE (ds.i * 37 + m.n * 11) % 5000 END,
         CASE WHEN (ds.i * m.n) % 5 = 0 THEN NULL ELSE (ds.i * m.n * 13) % 90000 END
  FROM ds JOIN o ON o.i = ds.org CROSS JOIN m;
INSERT INTO resources
  SELECT ds.i * 1000 + k * 100 + m.n, 'aaaaaaaa-0000-4000-8000-' || lpad((ds.i * 10 + k)::text, 12, '0'),
         CASE WHEN k = 3 THEN NULL ELSE ds.did END, m.month, (ds.i * m.n * k) % 700
  FROM ds CROSS JOIN generate_series(1, 3) k CROSS JOIN m;
INSERT INTO reuses
  SELECT i * 100 + m.n, lpad(to_hex(x'5f0000'::int + i), 24, '0'), m.month, CASE WHEN (i + m.n) % 9 = 0 THEN NULL ELSE i * m.n END
  FROM generate_series(1, 10) i CROSS JOIN m;
INSERT INTO dataservices
  SELECT i * 100 + m.n, lpad(to_hex(x'600000'::int + i), 24, '0'), m.month, i * m.n FROM generate_series(1, 4) i CROSS JOIN m;
INSERT INTO organizations
  SELECT o.i * 100 + m.n, o.oid, m.month, sum(d.monthly_visit), sum(d.monthly_download_resource),
         CASE WHEN o.i = 1 THEN NULL ELSE o.i * m.n END, CASE WHEN m.n < 20 THEN NULL ELSE m.n END
  FROM o CROSS JOIN m LEFT JOIN datasets d ON d.organization_id = o.oid AND d.metric_month = m.month
  GROUP BY o.i, o.oid, m.month, m.n;
INSERT INTO site
  SELECT m.n, m.month, (SELECT sum(monthly_visit) FROM datasets d WHERE d.metric_month = m.month),
         (SELECT sum(monthly_download_resource) FROM datasets d WHERE d.metric_month = m.month),
         (SELECT sum(monthly_visit) FROM reuses r WHERE r.metric_month = m.month) FROM m;
INSERT INTO datasets_total
  SELECT min(__id), dataset_id, sum(monthly_visit)::bigint, NULL, sum(monthly_download_resource) FROM datasets GROUP BY dataset_id;
INSERT INTO reuses_total SELECT min(__id), reuse_id, sum(monthly_visit)::bigint, 3 FROM reuses GROUP BY reuse_id;
INSERT INTO organizations_total
  SELECT min(__id), organization_id, sum(monthly_visit_dataset), sum(monthly_download_resource), sum(monthly_visit_reuse),
         sum(monthly_visit_dataservice), NULL FROM organizations GROUP BY organization_id;
INSERT INTO resources_total SELECT min(__id), resource_id, dataset_id, sum(monthly_download_resource)::bigint FROM resources GROUP BY 2, 3;
INSERT INTO dataservices_total SELECT min(__id), dataservice_id, sum(monthly_visit)::bigint FROM dataservices GROUP BY 2;

CREATE VIEW metric_counts.fetched AS
  SELECT 1000000 + min(id) AS __id, resource_id::varchar AS resource_id, min(dataset_id)::varchar AS dataset_id,
         to_char(created_at, 'YYYY-MM') AS metric_month, count(*)::bigint AS downloads
  FROM public.tables_index GROUP BY resource_id, to_char(created_at, 'YYYY-MM');
CREATE VIEW metric.resources AS
  SELECT * FROM metric_counts.resources
  UNION ALL SELECT __id, resource_id, dataset_id, metric_month, downloads FROM metric_counts.fetched;
CREATE VIEW metric.resources_total AS
  SELECT * FROM metric_counts.resources_total
  UNION ALL SELECT min(__id), resource_id, min(dataset_id), sum(downloads)::bigint FROM metric_counts.fetched GROUP BY resource_id;
CREATE VIEW metric.datasets AS
  SELECT * FROM metric_counts.datasets
  UNION ALL SELECT min(__id), dataset_id, NULL, metric_month, NULL, sum(downloads) FROM metric_counts.fetched
  WHERE dataset_id IS NOT NULL GROUP BY dataset_id, metric_month;
CREATE VIEW metric.datasets_total AS
  SELECT * FROM metric_counts.datasets_total
  UNION ALL SELECT min(__id), dataset_id, NULL, NULL, sum(downloads) FROM metric_counts.fetched
  WHERE dataset_id IS NOT NULL GROUP BY dataset_id;
