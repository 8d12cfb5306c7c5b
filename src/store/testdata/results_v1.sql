-- A results file as schema 1 wrote it. Frozen: migrations must go on reading it.
CREATE TABLE campaign(
  id TEXT PRIMARY KEY, version TEXT NOT NULL, command TEXT NOT NULL, effort TEXT NOT NULL,
  started TEXT NOT NULL, finished TEXT NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE environment(
  campaign_id TEXT NOT NULL REFERENCES campaign(id), key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(campaign_id, key)) WITHOUT ROWID;
CREATE TABLE warning(
  id INTEGER PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaign(id),
  kind TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL);
CREATE TABLE plan(
  campaign_id TEXT NOT NULL REFERENCES campaign(id), position INTEGER NOT NULL,
  case_key TEXT NOT NULL, case_json TEXT NOT NULL, PRIMARY KEY(campaign_id, position)) WITHOUT ROWID;
CREATE TABLE outcome(
  id INTEGER PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaign(id), case_key TEXT NOT NULL,
  model TEXT NOT NULL, backend TEXT NOT NULL, device TEXT NOT NULL, goal TEXT NOT NULL,
  batch_size INTEGER NOT NULL, in_flight INTEGER NOT NULL, threads INTEGER NOT NULL, precision TEXT NOT NULL,
  case_json TEXT NOT NULL, state TEXT NOT NULL, phase TEXT NOT NULL, reason TEXT NOT NULL,
  backend_version TEXT NOT NULL, in_force TEXT NOT NULL);
CREATE INDEX outcome_by_campaign ON outcome(campaign_id);
CREATE TABLE metric(
  outcome_id INTEGER NOT NULL REFERENCES outcome(id), position INTEGER NOT NULL,
  tag TEXT NOT NULL, unit TEXT NOT NULL, value REAL, low REAL, high REAL, n INTEGER NOT NULL, remark TEXT NOT NULL,
  PRIMARY KEY(outcome_id, position)) WITHOUT ROWID;
CREATE TABLE process(
  id INTEGER PRIMARY KEY, outcome_id INTEGER NOT NULL REFERENCES outcome(id),
  process INTEGER NOT NULL, kept INTEGER NOT NULL, noise TEXT NOT NULL);
CREATE INDEX process_by_outcome ON process(outcome_id);
CREATE TABLE sample(
  process_id INTEGER NOT NULL REFERENCES process(id), name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(process_id, name)) WITHOUT ROWID;
INSERT INTO campaign VALUES('0badcafe','0.0.9','assay bench tiny-resnet','quick','2026-11-01T10:00:00Z','2026-11-01T10:01:00Z',7);
INSERT INTO environment VALUES('0badcafe','cpu.model','A CPU');
INSERT INTO warning VALUES(1,'0badcafe','noisy-neighbour','3 % of the time was stolen','run it when the machine is idle');
INSERT INTO plan VALUES('0badcafe',0,'0123456789abcdef','{"model":"tiny-resnet","backend":"null","for":"throughput","batch_size":8,"threads":2}');
INSERT INTO outcome VALUES(1,'0badcafe','0123456789abcdef','tiny-resnet','null','cpu','throughput',8,0,2,'f32',
  '{"model":"tiny-resnet","backend":"null","for":"throughput","batch_size":8,"threads":2}','measured','','','1.0','{"threads":"2"}');
INSERT INTO metric VALUES(1,0,'throughput','1/s',100.5,99.0,102.0,40,'');
INSERT INTO metric VALUES(1,1,'memory.device','MiB',NULL,NULL,NULL,0,'the device is the CPU');
INSERT INTO process VALUES(1,1,0,1,'');
INSERT INTO sample VALUES(1,'process.wall',x'0000000000001440');
PRAGMA application_id = 1095975257;
PRAGMA user_version = 1;
