-- The files that builds leave and that are not generated. Each content is stored once.
CREATE TABLE contents (
    id       INTEGER PRIMARY KEY,
    digest   BLOB    NOT NULL,           -- SHA-256
    size     INTEGER NOT NULL,           -- in bytes
    md5      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,           -- JSON: what it is to a deployment
    complete INTEGER NOT NULL CHECK (complete IN (0, 1))  -- whether all chunks are there
) STRICT;

CREATE UNIQUE INDEX contents_by_digest ON contents (digest) WHERE complete = 1;

CREATE TABLE chunks (
    content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,         -- from 0; all but the last have the same length
    bytes      BLOB    NOT NULL,
    PRIMARY KEY (content_id, number)
) STRICT;

-- The files that later builds of a commit leave.
CREATE TABLE uploads (
    program_id    INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    commit_id     TEXT    NOT NULL,
    file          TEXT    NOT NULL,
    content_id    INTEGER NOT NULL REFERENCES contents (id),
    PRIMARY KEY (program_id, repository_id, commit_id, file),
    FOREIGN KEY (program_id, repository_id) REFERENCES repositories (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_content ON uploads (content_id);

-- The contents that a plan names.
CREATE TABLE plan_contents (
    plan_id    INTEGER NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    content_id INTEGER NOT NULL REFERENCES contents (id),
    PRIMARY KEY (plan_id, content_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_contents_by_content ON plan_contents (content_id);

-- JSON: what a build leaves; the demo's three files if absent.
ALTER TABLE repositories ADD COLUMN outputs TEXT;

-- Which execution built the artifacts of a commit, for each list of what is to be built.
CREATE TABLE new_builds (
    program_id   INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    repository   TEXT    NOT NULL,
    commit_id    TEXT    NOT NULL,
    outputs      TEXT    NOT NULL,       -- SHA-256 of the list; empty for the demo's three files
    execution_id INTEGER NOT NULL,       -- it may have been deleted since
    version      TEXT    NOT NULL,
    PRIMARY KEY (program_id, repository, commit_id, outputs)
) STRICT, WITHOUT ROWID;

INSERT INTO new_builds
SELECT program_id, repository, commit_id, '', execution_id, version FROM builds;

DROP TABLE builds;
ALTER TABLE new_builds RENAME TO builds;
