--
-- PostgreSQL database dump
--

\restrict release

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: dbos; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA dbos;


--
-- Name: enfilade; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA enfilade;


--
-- Name: enqueue_workflow(text, text, json[], json, text, text, text, text, bigint, bigint, text, integer, text, text, text, bigint, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.enqueue_workflow(workflow_name text, queue_name text, positional_args json[] DEFAULT ARRAY[]::json[], named_args json DEFAULT '{}'::json, class_name text DEFAULT NULL::text, config_name text DEFAULT NULL::text, workflow_id text DEFAULT NULL::text, app_version text DEFAULT NULL::text, timeout_ms bigint DEFAULT NULL::bigint, deadline_epoch_ms bigint DEFAULT NULL::bigint, deduplication_id text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, queue_partition_key text DEFAULT NULL::text, authenticated_user text DEFAULT NULL::text, authenticated_roles text DEFAULT NULL::text, delay_until_epoch_ms bigint DEFAULT NULL::bigint, application_name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_workflow_id TEXT;
    v_serialized_inputs TEXT;
    v_owner_xid TEXT;
    v_now BIGINT;
    v_recovery_attempts INT4 := 0;
    v_priority INT4;
    v_status TEXT;
BEGIN

    -- Validate required parameters
    IF workflow_name IS NULL OR workflow_name = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    END IF;
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    END IF;
    IF named_args IS NOT NULL AND jsonb_typeof(named_args::jsonb) != 'object' THEN
        RAISE EXCEPTION 'Named args must be a JSON object';
    END IF;
    IF workflow_id IS NOT NULL AND workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    END IF;
    IF delay_until_epoch_ms IS NOT NULL AND delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;

    v_workflow_id := COALESCE(workflow_id, gen_random_uuid()::TEXT);
    v_owner_xid := gen_random_uuid()::TEXT;
    v_priority := COALESCE(priority, 0);
    v_serialized_inputs := json_build_object(
        'positionalArgs', positional_args,
        'namedArgs', named_args
    )::TEXT;
    v_now := EXTRACT(epoch FROM now()) * 1000;
    v_status := CASE WHEN delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END;

    INSERT INTO "dbos".workflow_status (
        workflow_uuid, status,
        name, class_name, config_name,
        queue_name, deduplication_id, priority, queue_partition_key,
        application_version,
        created_at, updated_at, recovery_attempts,
        workflow_timeout_ms, workflow_deadline_epoch_ms,
        parent_workflow_id, owner_xid, serialization,
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    ) VALUES (
        v_workflow_id, v_status,
        workflow_name, class_name, config_name,
        queue_name, deduplication_id, v_priority, queue_partition_key,
        app_version,
        v_now, v_now, v_recovery_attempts,
        timeout_ms, deadline_epoch_ms,
        NULL, v_owner_xid, 'portable_json',
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    )
    ON CONFLICT (workflow_uuid)
    DO UPDATE SET
        updated_at = EXCLUDED.updated_at;

    INSERT INTO "dbos".workflow_input (
        workflow_uuid, inputs, retention_timestamp
    ) VALUES (
        v_workflow_id, v_serialized_inputs, v_now
    )
    ON CONFLICT (workflow_uuid) DO NOTHING;

    RETURN v_workflow_id;

EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'DBOS queue duplicated'
            USING DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists', v_workflow_id, queue_name, deduplication_id),
                ERRCODE = 'unique_violation';
END;
$$;


--
-- Name: notifications_function(); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.notifications_function() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    payload text := NEW.destination_uuid || '::' || NEW.topic;
BEGIN
    PERFORM pg_notify('dbos_notifications_channel', payload);
    RETURN NEW;
END;
$$;


--
-- Name: send_message(text, json, text, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.send_message(destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_topic TEXT := COALESCE(topic, '__null__topic__');
    v_message_id TEXT := COALESCE(message_id, gen_random_uuid()::TEXT);
BEGIN
    INSERT INTO "dbos".notifications (
        destination_uuid, topic, message, message_uuid, serialization
    ) VALUES (
        destination_id, v_topic, message, v_message_id, 'portable_json'
    )
    ON CONFLICT (message_uuid) DO NOTHING;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'DBOS non-existent workflow'
            USING DETAIL = format('Destination workflow %s does not exist', destination_id),
                ERRCODE = 'foreign_key_violation';
END;
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: application_versions; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text
);


--
-- Name: dbos_migrations; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.dbos_migrations (
    version bigint NOT NULL
);


--
-- Name: event_dispatch_kv; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38,0),
    update_time numeric(38,15)
);


--
-- Name: notifications; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer
);


--
-- Name: operation_outputs; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT ''::text NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,
    completed_at_epoch_ms bigint,
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: queues; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.queues (
    queue_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision
);


--
-- Name: streams; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text
);


--
-- Name: workflow_events; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_events_history; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_input; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_output; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_schedules; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text
);


--
-- Name: workflow_status; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,
    request text,
    output text,
    error text,
    executor_id text,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_version text,
    application_id text,
    class_name character varying(255) DEFAULT NULL::character varying,
    config_name character varying(255) DEFAULT NULL::character varying,
    recovery_attempts bigint DEFAULT 0,
    queue_name text,
    workflow_timeout_ms bigint,
    workflow_deadline_epoch_ms bigint,
    inputs text,
    started_at_epoch_ms bigint,
    deduplication_id text,
    priority integer DEFAULT 0 NOT NULL,
    queue_partition_key text,
    forked_from text,
    owner_xid text,
    parent_workflow_id text,
    serialization text,
    delay_until_epoch_ms bigint,
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,
    creator_xid text
);


--
-- Name: accounts; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.accounts (
    instance text NOT NULL,
    account_id text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    customer_id text,
    seen_at timestamp with time zone NOT NULL
);


--
-- Name: alembic_version; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: audit; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.audit (
    chain text NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT ''::text NOT NULL,
    consumer text DEFAULT ''::text NOT NULL,
    action text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    outcome text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    correlation_id text DEFAULT ''::text NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL
);


--
-- Name: audit_heads; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.audit_heads (
    chain text NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL
);


--
-- Name: crossrefs; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.crossrefs (
    instance text NOT NULL,
    object text NOT NULL,
    vendor_id text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    url text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: cursors; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.cursors (
    name text NOT NULL,
    value text NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: customers; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.customers (
    id text NOT NULL,
    status text NOT NULL,
    legal_name text NOT NULL,
    document jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: due; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.due (
    id text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    correlation_id text NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    breached_at timestamp with time zone
);


--
-- Name: engagements; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.engagements (
    activation_id text NOT NULL,
    instance text NOT NULL,
    account_id text NOT NULL,
    opportunity_id text NOT NULL,
    status text NOT NULL,
    document jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: event_positions; Type: SEQUENCE; Schema: enfilade; Owner: -
--

CREATE SEQUENCE enfilade.event_positions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: event_sequences; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.event_sequences (
    partitionkey text NOT NULL,
    sequence bigint NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.events (
    number bigint NOT NULL,
    id text NOT NULL,
    "position" bigint,
    source text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    partitionkey text NOT NULL,
    sequence bigint NOT NULL,
    correlation_id text NOT NULL,
    "time" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    dataschema text DEFAULT ''::text NOT NULL
);


--
-- Name: events_number_seq; Type: SEQUENCE; Schema: enfilade; Owner: -
--

ALTER TABLE enfilade.events ALTER COLUMN number ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME enfilade.events_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: exceptions; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.exceptions (
    id text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    kind text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    flow text NOT NULL,
    subject text NOT NULL,
    stopped text NOT NULL,
    why text NOT NULL,
    what_next text NOT NULL,
    owner text NOT NULL,
    correlation_id text NOT NULL,
    raised_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    workflow_id text DEFAULT ''::text NOT NULL,
    step text DEFAULT ''::text NOT NULL,
    errors jsonb DEFAULT '[]'::jsonb NOT NULL,
    before jsonb DEFAULT '{}'::jsonb NOT NULL,
    after jsonb DEFAULT '{}'::jsonb NOT NULL,
    caused_by text DEFAULT ''::text NOT NULL,
    resume jsonb DEFAULT '{}'::jsonb NOT NULL,
    action text DEFAULT ''::text NOT NULL,
    corrections jsonb DEFAULT '{}'::jsonb NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text DEFAULT ''::text NOT NULL,
    resolution text DEFAULT ''::text NOT NULL
);


--
-- Name: idempotency_keys; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.idempotency_keys (
    consumer text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    holder text NOT NULL,
    status integer,
    headers jsonb DEFAULT '{}'::jsonb NOT NULL,
    body bytea,
    reserved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: inbox; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.inbox (
    seq bigint NOT NULL,
    source text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    correlation_id text NOT NULL,
    status text DEFAULT 'new'::text NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    exception_id text DEFAULT ''::text NOT NULL,
    handled_at timestamp with time zone
);


--
-- Name: inbox_seq_seq; Type: SEQUENCE; Schema: enfilade; Owner: -
--

ALTER TABLE enfilade.inbox ALTER COLUMN seq ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME enfilade.inbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: leases; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.leases (
    name text NOT NULL,
    holder text NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: ledger; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.ledger (
    source text NOT NULL,
    revision bigint NOT NULL,
    target text NOT NULL,
    key text NOT NULL,
    state text NOT NULL,
    result jsonb,
    attempts bigint DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    correlation_id text DEFAULT ''::text NOT NULL,
    workflow_id text DEFAULT ''::text NOT NULL
);


--
-- Name: runs; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.runs (
    id text NOT NULL,
    flow text NOT NULL,
    status text NOT NULL,
    status_text text DEFAULT ''::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    attempt bigint DEFAULT 1 NOT NULL,
    engine_id text NOT NULL,
    fingerprint text NOT NULL,
    input jsonb DEFAULT '{}'::jsonb NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    corrections jsonb DEFAULT '{}'::jsonb NOT NULL,
    correlation_id text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    actor text DEFAULT ''::text NOT NULL,
    traceparent text DEFAULT ''::text NOT NULL,
    exception_id text DEFAULT ''::text NOT NULL,
    due_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone
);


--
-- Name: steps; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.steps (
    run_id text NOT NULL,
    seq bigint NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    status text NOT NULL,
    attempts bigint DEFAULT 1 NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL,
    refs jsonb DEFAULT '[]'::jsonb NOT NULL,
    correlation_id text NOT NULL
);


--
-- Name: vendor_calls; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.vendor_calls (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    correlation_id text DEFAULT ''::text NOT NULL,
    workflow_id text DEFAULT ''::text NOT NULL,
    step text DEFAULT ''::text NOT NULL,
    instance text NOT NULL,
    lane text DEFAULT ''::text NOT NULL,
    method text NOT NULL,
    template text NOT NULL,
    status integer,
    problem text DEFAULT ''::text NOT NULL,
    vendor_request_id text DEFAULT ''::text NOT NULL,
    seconds double precision DEFAULT 0 NOT NULL
);


--
-- Name: vendor_calls_id_seq; Type: SEQUENCE; Schema: enfilade; Owner: -
--

ALTER TABLE enfilade.vendor_calls ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME enfilade.vendor_calls_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: would_send; Type: TABLE; Schema: enfilade; Owner: -
--

CREATE TABLE enfilade.would_send (
    run_id text NOT NULL,
    seq bigint NOT NULL,
    step text NOT NULL,
    instance text NOT NULL,
    operation text NOT NULL,
    key text DEFAULT ''::text NOT NULL,
    body text DEFAULT ''::text NOT NULL
);


--
-- Data for Name: application_versions; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.application_versions (version_id, version_name, version_timestamp, created_at, application_name) FROM stdin;
bb951ed6-4071-439c-91e0-ab64977d9fed	enfilade-1	1795264479393	1795264479393	enfilade
\.


--
-- Data for Name: dbos_migrations; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.dbos_migrations (version) FROM stdin;
125
\.


--
-- Data for Name: event_dispatch_kv; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.event_dispatch_kv (service_name, workflow_fn_name, key, value, update_seq, update_time) FROM stdin;
\.


--
-- Data for Name: notifications; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.notifications (message_uuid, destination_uuid, topic, message, created_at_epoch_ms, serialization, consumed, consumed_by_function_id) FROM stdin;
act_salesforce-main.0066XfaO0004C9iQEE.r1/customer/creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK:settled:act_salesforce-main.0066XfaO0004C9iQEE.r1::act_salesforce-main.0066XfaO0004C9iQEE.r1	act_salesforce-main.0066XfaO0004C9iQEE.r1	customer	{"request_id":"creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK"}	1795264480202	enfilade_json_1	t	9
act_salesforce-main.0066XfaO0004C9wQEE.r1/resolution:exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002/exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002::act_salesforce-main.0066XfaO0004C9wQEE.r1	act_salesforce-main.0066XfaO0004C9wQEE.r1	resolution:exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	{"action":"undo","reason":"The deal was entered twice","by":"fiona.finance","corrections":{}}	1795264481266	enfilade_json_1	t	4
\.


--
-- Data for Name: operation_outputs; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.operation_outputs (workflow_uuid, function_id, function_name, output, error, child_workflow_id, started_at_epoch_ms, completed_at_epoch_ms, serialization, application_name, retention_timestamp) FROM stdin;
act_salesforce-main.0066XfaO0004C9iQEE.r1	1	validate	{"at":1795264479.9420145,"draw":0.674738248172541,"result":{"instance":"salesforce-main","opportunity_id":"0066XfaO0004C9iQEE","name":"Deal dump-0 1","account_id":"0016XfaO0004C9iQEE","account_name":"Deal dump-0 1 Ltd","revision":1,"selling_entity":"NB-UK","value":{"amount":"96000.00","currency":"GBP"},"pricing_model":"fixed_price","service_line":"CLOUD","region":"UKI","template":"DT-CLOUD-MIGRATION","rate_card":"RC-UK-2026","payment_terms":"Net 30","tax_profile":"UK-STD","start":"2027-01-11","end":"2027-06-30","lines":[]}}	\N	\N	1795264479922	1795264479944	enfilade_json_1	enfilade	1795264479946
act_salesforce-main.0066XfaO0004C9iQEE.r1	2	tell	true	\N	\N	1795264479948	1795264479953	enfilade_json_1	enfilade	1795264479954
act_salesforce-main.0066XfaO0004C9iQEE.r1	3	show-running	{"at":1795264479.966203,"draw":0.6873902445641918,"result":true}	\N	\N	1795264479955	1795264479969	enfilade_json_1	enfilade	1795264479969
act_salesforce-main.0066XfaO0004C9iQEE.r1	4	emit won	true	\N	\N	1795264479972	1795264479979	enfilade_json_1	enfilade	1795264479980
act_salesforce-main.0066XfaO0004C9iQEE.r1	5	propose-customer	{"at":1795264480.0054538,"draw":0.8683867556680733,"result":{"id":"creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK","version":"1","status":"running","status_text":"Accepted","proposal":{"instance":"salesforce-main","account_id":"0016XfaO0004C9iQEE","selling_entity":"NB-UK","currency":"GBP","payment_terms":"Net 30"},"correlation_id":"cor_01m7z1m0kbxc5b3yct7q420x78","started_at":"2026-11-21T12:34:39.989974Z","updated_at":"2026-11-21T12:34:39.989979Z","requested_by":"inbox:salesforce-main"}}	\N	\N	1795264479981	1795264480007	enfilade_json_1	enfilade	1795264480008
act_salesforce-main.0066XfaO0004C9iQEE.r1	6	tell	true	\N	\N	1795264480009	1795264480013	enfilade_json_1	enfilade	1795264480013
act_salesforce-main.0066XfaO0004C9iQEE.r1	7	await-customer	{"at":1795264480.0193424,"draw":0.8820685089438994,"result":{"request":null}}	\N	\N	1795264480014	1795264480020	enfilade_json_1	enfilade	1795264480021
act_salesforce-main.0066XfaO0004C9iQEE.r1	8	wait for customer	true	\N	\N	1795264480022	1795264480040	enfilade_json_1	enfilade	1795264480041
act_salesforce-main.0066XfaO0004C9iQEE.r1	10	DBOS.sleep	4957504480.049208	\N	\N	1795264480047	1795264480049	portable_json	enfilade	1795264480049
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1	look	{"at":1795264480.0601242,"draw":0.6374232398011122,"result":{"account":{"id":"0016XfaO0004C9iQEE","version":"20261121123439000000-3f47ba8a5d94","updated_at":"2026-11-21T12:34:39Z","legal_name":"Deal dump-0 1 Ltd","status":"prospect","billing_address":{"line1":"1 Quay Street","city":"Leeds","postal_code":"LS1 1AA","country":"GB"},"tax_registrations":[{"country":"GB","number":"GB254402743"}],"currency":"GBP","credit_limit":{"amount":"40000.00","currency":"GBP"},"account_owner":"Sofia Marsh","refs":[{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view"}]},"candidates":[],"reasons":[]}}	\N	\N	1795264480047	1795264480061	enfilade_json_1	enfilade	1795264480062
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	2	tell	true	\N	\N	1795264480063	1795264480066	enfilade_json_1	enfilade	1795264480067
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	3	create-customer	{"at":1795264480.1013465,"draw":0.9219178473222016,"result":{"id":"103","version":"2026-11-21T12:34:40Z","updated_at":"2026-11-21T12:34:40Z","legal_name":"Deal dump-0 1 Ltd","status":"approved","selling_entity":"NB-UK","billing_address":{"line1":"1 Quay Street","city":"Leeds","postal_code":"LS1 1AA","country":"GB"},"tax_registrations":[{"country":"GB","number":"GB254402743"}],"currency":"GBP","payment_terms":"Net 30","credit_limit":{"amount":"40000.00","currency":"GBP"},"refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"netsuite-main","object":"external_id","id":"enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK"}]}}	\N	\N	1795264480068	1795264480106	enfilade_json_1	enfilade	1795264480107
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	4	create-client	{"at":1795264480.138571,"draw":0.39905353363060925,"result":{"id":"77","version":"20261121123440-5ca44788d441","updated_at":"2026-11-21T12:34:40Z","name":"Deal dump-0 1 Ltd","key":"enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK","refs":[{"instance":"kantata-main","object":"client","id":"77"}]}}	\N	\N	1795264480109	1795264480140	enfilade_json_1	enfilade	1795264480141
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	5	cross-refer	{"at":1795264480.1619256,"draw":0.28381803751600887,"result":{"id":"cus_01m7z1m0wptqyd8f5zq1yjjjaw","version":"2026-11-21T12:34:40Z","updated_at":"2026-11-21T12:34:40.156378Z","legal_name":"Deal dump-0 1 Ltd","status":"approved","selling_entity":"NB-UK","billing_address":{"line1":"1 Quay Street","city":"Leeds","postal_code":"LS1 1AA","country":"GB"},"tax_registrations":[{"country":"GB","number":"GB254402743"}],"currency":"GBP","payment_terms":"Net 30","credit_limit":{"amount":"40000.00","currency":"GBP"},"refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"kantata-main","object":"client","id":"77"},{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view"}]}}	\N	\N	1795264480144	1795264480163	enfilade_json_1	enfilade	1795264480164
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	6	emit approved	true	\N	\N	1795264480165	1795264480174	enfilade_json_1	enfilade	1795264480175
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	7	tell	true	\N	\N	1795264480178	1795264480188	enfilade_json_1	enfilade	1795264480188
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	8	wake	{"at":1795264480.2059333,"draw":0.7518171229009262,"result":true}	\N	\N	1795264480189	1795264480218	enfilade_json_1	enfilade	1795264480219
act_salesforce-main.0066XfaO0004C9iQEE.r1	9	DBOS.recv	{"request_id":"creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK"}	\N	\N	1795264480043	1795264480226	enfilade_json_1	enfilade	1795264480222
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	9	finish	true	\N	\N	1795264480225	1795264480245	enfilade_json_1	enfilade	1795264480246
act_salesforce-main.0066XfaO0004C9iQEE.r1	11	go on after customer	true	\N	\N	1795264480231	1795264480253	enfilade_json_1	enfilade	1795264480254
act_salesforce-main.0066XfaO0004C9iQEE.r1	12	await-customer	{"at":1795264480.2664595,"draw":0.9721459274930304,"result":{"request":{"id":"creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK","version":"3","status":"done","status_text":"Deal dump-0 1 Ltd is a customer","proposal":{"instance":"salesforce-main","account_id":"0016XfaO0004C9iQEE","selling_entity":"NB-UK","currency":"GBP","payment_terms":"Net 30"},"correlation_id":"cor_01m7z1m0kbxc5b3yct7q420x78","started_at":"2026-11-21T12:34:39.989974Z","updated_at":"2026-11-21T12:34:40.184875Z","customer_id":"cus_01m7z1m0wptqyd8f5zq1yjjjaw","legal_name":"Deal dump-0 1 Ltd","credit_limit":{"amount":"40000.00","currency":"GBP"},"requested_by":"inbox:salesforce-main","timeline":[{"name":"look","title":"Read the account and look for the same firm in the ERP","status":"done","started_at":"2026-11-21T12:34:40.050708Z","finished_at":"2026-11-21T12:34:40.060300Z","seconds":0.009592,"detail":"Deal dump-0 1 Ltd"},{"name":"create-customer","title":"Create the customer in the ERP","status":"done","started_at":"2026-11-21T12:34:40.072526Z","finished_at":"2026-11-21T12:34:40.101500Z","seconds":0.028974,"refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"netsuite-main","object":"external_id","id":"enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK"}]},{"name":"create-client","title":"Create the client in the PSA","status":"done","started_at":"2026-11-21T12:34:40.112934Z","finished_at":"2026-11-21T12:34:40.138718Z","seconds":0.025784,"refs":[{"instance":"kantata-main","object":"client","id":"77"}]},{"name":"cross-refer","title":"Keep the customer with its ids in all systems","status":"done","started_at":"2026-11-21T12:34:40.148346Z","finished_at":"2026-11-21T12:34:40.162063Z","seconds":0.013717,"refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"kantata-main","object":"client","id":"77"},{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view"}]},{"name":"wake","title":"Wake whoever waits for the customer","status":"done","started_at":"2026-11-21T12:34:40.192299Z","finished_at":"2026-11-21T12:34:40.206076Z","seconds":0.013777}],"refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"kantata-main","object":"client","id":"77"},{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view"}]}}}	\N	\N	1795264480255	1795264480270	enfilade_json_1	enfilade	1795264480271
act_salesforce-main.0066XfaO0004C9iQEE.r1	14	provision-project	{"at":1795264480.425122,"draw":0.3408189538849191,"result":{"id":"3467375","version":"20261121123440-046cc4a9ecdd","updated_at":"2026-11-21T12:34:40Z","name":"Deal dump-0 1","status":"planned","customer_id":"77","contract_id":"SO0001","start":"2027-01-11","end":"2027-06-30","budget":{"amount":"96000.00","currency":"GBP"},"budget_hours":"666.50","tasks":[{"id":"26593185","title":"Assessment","kind":"task","start":"2027-01-11","due":"2027-02-14","hours":"100.00","status":"not started"},{"id":"26593186","title":"Migration plan agreed","kind":"milestone","start":"2027-02-14","due":"2027-02-14","status":"not started"},{"id":"26593187","title":"Migration waves","kind":"task","start":"2027-02-14","due":"2027-06-04","hours":"433.25","status":"not started"},{"id":"26593188","title":"Last wave moved","kind":"milestone","start":"2027-06-04","due":"2027-06-04","status":"not started"},{"id":"26593189","title":"Optimise and hand over","kind":"task","start":"2027-06-04","due":"2027-06-30","hours":"133.25","status":"not started"},{"id":"26593190","title":"Accepted","kind":"milestone","start":"2027-06-30","due":"2027-06-30","status":"not started"}],"planned_roles":[{"role":"Engagement Manager","start":"2027-01-11","end":"2027-06-30","hours":"100.00","region":"UKI","id":"81501"},{"role":"Cloud Architect","start":"2027-01-11","end":"2027-06-30","hours":"300.00","region":"UKI","id":"81502"},{"role":"Consultant","start":"2027-01-11","end":"2027-06-30","hours":"266.50","region":"UKI","id":"81503"}],"manager":"Ines Falk","key":"enf-prj-salesforce-main-0066XfaO0004C9iQEE-r1","refs":[{"instance":"kantata-main","object":"project","id":"3467375","url":"https://app.mavenlink.com/workspaces/3467375"}]}}	\N	\N	1795264480313	1795264480435	enfilade_json_1	enfilade	1795264480436
act_salesforce-main.0066XfaO0004C9iQEE.r1	17	emit contract-activated	true	\N	\N	1795264480470	1795264480478	enfilade_json_1	enfilade	1795264480478
act_salesforce-main.0066XfaO0004C9iQEE.r1	21	show-done	{"at":1795264480.5466905,"draw":0.07697014262364354,"result":true}	\N	\N	1795264480534	1795264480548	enfilade_json_1	enfilade	1795264480549
act_salesforce-main.0066XfaO0004C9pQEE.r1	1	validate	{"at":1795264480.6422276,"draw":0.44438860020072457,"problem":{"type":"/apis/problems/activation_blocked","title":"The opportunity cannot become a project yet","status":409,"code":"activation_blocked","detail":"Deal dump-0 2: one thing is missing or wrong.","correlation_id":"cor_01m7z1m1apmf7kgnatk7drzc66","actor":"sales","errors":[{"pointer":"/rate_card","detail":"Rate card is empty. Fill it in on the opportunity.","code":"missing","field":"Rate card","fixed_by":"the opportunity's owner in the CRM"}]}}	\N	\N	1795264480630	1795264480645	enfilade_json_1	enfilade	1795264480646
act_salesforce-main.0066XfaO0004C9pQEE.r1	3	park	true	\N	\N	1795264480650	1795264480668	enfilade_json_1	enfilade	1795264480669
act_salesforce-main.0066XfaO0004C9wQEE.r1	5	DBOS.sleep	4957504480.800374	\N	\N	1795264480799	1795264480800	portable_json	enfilade	1795264480801
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	2	tell	true	\N	\N	1795264481139	1795264481147	enfilade_json_1	enfilade	1795264481147
act_salesforce-main.0066XfaO0004C9wQEE.r1	4	DBOS.recv	{"action":"undo","reason":"The deal was entered twice","by":"fiona.finance","corrections":{}}	\N	\N	1795264480798	1795264481289	enfilade_json_1	enfilade	1795264481283
act_salesforce-main.0066XfaO0004C9iQEE.r1	13	create-contract	{"at":1795264480.3059716,"draw":0.11337732132567668,"result":{"id":"1001","version":"2026-11-21T12:34:40Z","updated_at":"2026-11-21T12:34:40Z","customer_id":"103","status":"active","value":{"amount":"96000.00","currency":"GBP"},"name":"Deal dump-0 1","number":"SO0001","opportunity_ref":"0066XfaO0004C9iQEE","selling_entity":"NB-UK","pricing_model":"fixed_price","billing_schedule":[{"description":"Migration plan agreed","due":"2027-02-14","amount":{"amount":"24000.00","currency":"GBP"}},{"description":"Last wave moved","due":"2027-06-04","amount":{"amount":"48000.00","currency":"GBP"}},{"description":"Accepted","due":"2027-06-30","amount":{"amount":"24000.00","currency":"GBP"}}],"payment_terms":"Net 30","start":"2027-01-11","end":"2027-06-30","refs":[{"instance":"netsuite-main","object":"contract","id":"1001","url":"https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001"},{"instance":"netsuite-main","object":"external_id","id":"enf-con-salesforce-main-0066XfaO0004C9iQEE-r1"}]}}	\N	\N	1795264480277	1795264480309	enfilade_json_1	enfilade	1795264480310
act_salesforce-main.0066XfaO0004C9iQEE.r1	15	cross-refer	{"at":1795264480.455002,"draw":0.2914412598000288,"result":{"contract_id":"con_01m7z1m15xzjp15f4psqd7tvrs","project_id":"prj_01m7z1m163411yanwzmzkpj7v5","refs":[{"instance":"netsuite-main","object":"customer","id":"103","url":"https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103"},{"instance":"kantata-main","object":"client","id":"77"},{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view"},{"instance":"netsuite-main","object":"contract","id":"1001","url":"https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001"},{"instance":"netsuite-main","object":"external_id","id":"enf-con-salesforce-main-0066XfaO0004C9iQEE-r1"},{"instance":"kantata-main","object":"project","id":"3467375","url":"https://app.mavenlink.com/workspaces/3467375"}]}}	\N	\N	1795264480438	1795264480459	enfilade_json_1	enfilade	1795264480460
act_salesforce-main.0066XfaO0004C9iQEE.r1	16	tell	true	\N	\N	1795264480464	1795264480468	enfilade_json_1	enfilade	1795264480468
act_salesforce-main.0066XfaO0004C9iQEE.r1	18	emit project-created	true	\N	\N	1795264480482	1795264480491	enfilade_json_1	enfilade	1795264480492
act_salesforce-main.0066XfaO0004C9iQEE.r1	19	emit staffing-demand	true	\N	\N	1795264480494	1795264480501	enfilade_json_1	enfilade	1795264480502
act_salesforce-main.0066XfaO0004C9iQEE.r1	20	write-back	{"at":1795264480.5203931,"draw":0.2304209873942683,"result":{"id":"0066XfaO0004C9iQEE","version":"20261121123440000000-370a930eea40","updated_at":"2026-11-21T12:34:40Z","name":"Deal dump-0 1","stage":"won","customer_id":"0016XfaO0004C9iQEE","stage_label":"Closed Won","amount":{"amount":"96000.00","currency":"GBP"},"probability":100,"close_date":"2026-12-18","service_line":"CLOUD","region":"UKI","pricing_model":"fixed_price","delivery_template":"DT-CLOUD-MIGRATION","rate_card":"RC-UK-2026","payment_terms":"Net 30","expected_start":"2027-01-11","expected_end":"2027-06-30","project_ref":"prj_01m7z1m163411yanwzmzkpj7v5","account_team":[{"name":"Sofia Marsh","email":"sofia.marsh@northbeam.dump-0.example","role":"owner"}],"refs":[{"instance":"salesforce-main","object":"opportunity","id":"0066XfaO0004C9iQEE","url":"http://127.0.0.1:44267/lightning/r/Opportunity/0066XfaO0004C9iQEE/view"}]}}	\N	\N	1795264480503	1795264480529	enfilade_json_1	enfilade	1795264480531
act_salesforce-main.0066XfaO0004C9iQEE.r1	22	tell	true	\N	\N	1795264480550	1795264480557	enfilade_json_1	enfilade	1795264480557
act_salesforce-main.0066XfaO0004C9iQEE.r1	23	finish	true	\N	\N	1795264480558	1795264480561	enfilade_json_1	enfilade	1795264480561
act_salesforce-main.0066XfaO0004C9pQEE.r1	2	validate failed	true	\N	\N	1795264480646	1795264480649	enfilade_json_1	enfilade	1795264480650
act_salesforce-main.0066XfaO0004C9pQEE.r1	5	DBOS.sleep	4957504480.674926	\N	\N	1795264480674	1795264480674	portable_json	enfilade	1795264480675
act_salesforce-main.0066XfaO0004C9wQEE.r1	1	validate	{"at":1795264480.7652624,"draw":0.23305628713017423,"problem":{"type":"/apis/problems/activation_blocked","title":"The opportunity cannot become a project yet","status":409,"code":"activation_blocked","detail":"Deal dump-0 3: one thing is missing or wrong.","correlation_id":"cor_01m7z1m1ecx71923pmzvckdpgb","actor":"sales","errors":[{"pointer":"/rate_card","detail":"Rate card is empty. Fill it in on the opportunity.","code":"missing","field":"Rate card","fixed_by":"the opportunity's owner in the CRM"}]}}	\N	\N	1795264480751	1795264480768	enfilade_json_1	enfilade	1795264480769
act_salesforce-main.0066XfaO0004C9wQEE.r1	2	validate failed	true	\N	\N	1795264480770	1795264480773	enfilade_json_1	enfilade	1795264480774
act_salesforce-main.0066XfaO0004C9wQEE.r1	3	park	true	\N	\N	1795264480775	1795264480795	enfilade_json_1	enfilade	1795264480797
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	1	look	{"at":1795264481.135707,"draw":0.4704330296297531,"result":{"account":{"id":"0016XfaO0004CA3QEM","version":"20261121123440000000-2f01ee95f206","updated_at":"2026-11-21T12:34:40Z","legal_name":"Deal dump-0 4 Ltd","status":"prospect","billing_address":{"line1":"1 Quay Street","city":"Leeds","postal_code":"LS1 1AA","country":"GB"},"tax_registrations":[{"country":"GB","number":"GB482563600"}],"currency":"GBP","credit_limit":{"amount":"250000.00","currency":"GBP"},"account_owner":"Sofia Marsh","refs":[{"instance":"salesforce-main","object":"customer","id":"0016XfaO0004CA3QEM","url":"http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004CA3QEM/view"}]},"candidates":[],"reasons":["The credit limit of 250,000.00 GBP is above 100,000 GBP."]}}	\N	\N	1795264481121	1795264481138	enfilade_json_1	enfilade	1795264481138
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	3	wait for decision	true	\N	\N	1795264481148	1795264481159	enfilade_json_1	enfilade	1795264481159
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	5	DBOS.sleep	4957504481.164761	\N	\N	1795264481164	1795264481164	portable_json	enfilade	1795264481165
act_salesforce-main.0066XfaO0004C9wQEE.r1	6	resolved	true	\N	\N	1795264481291	1795264481305	enfilade_json_1	enfilade	1795264481306
\.


--
-- Data for Name: queues; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.queues (queue_id, name, concurrency, worker_concurrency, rate_limit_max, rate_limit_period_sec, priority_enabled, partition_queue, polling_interval_sec, created_at, updated_at, application_name, partition_concurrency, partition_worker_concurrency, partition_rate_limit_max, partition_rate_limit_period_sec) FROM stdin;
2476f518-361c-4a52-abed-eb636a1fed34	enfilade-start	\N	\N	\N	\N	t	f	0.03	1795264479344	1795264479323	enfilade	\N	\N	\N	\N
\.


--
-- Data for Name: streams; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.streams (workflow_uuid, key, value, "offset", function_id, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_events; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_events (workflow_uuid, key, value, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_events_history; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_events_history (workflow_uuid, function_id, key, value, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_input; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_input (workflow_uuid, inputs, retention_timestamp) FROM stdin;
act_salesforce-main.0066XfaO0004C9iQEE.r1	{"args":[{"run_id":"act_salesforce-main.0066XfaO0004C9iQEE.r1","attempt":1,"input":{"instance":"salesforce-main","opportunity_id":"0066XfaO0004C9iQEE","revision":1,"mode":"live"},"corrections":{},"correlation_id":"cor_01m7z1m0kbxc5b3yct7q420x78","subject":"0066XfaO0004C9iQEE","actor":"inbox:salesforce-main","traceparent":""}],"kwargs":{}}	1795264479862
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	{"args":[{"run_id":"creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK","attempt":1,"input":{"instance":"salesforce-main","account_id":"0016XfaO0004C9iQEE","selling_entity":"NB-UK","currency":"GBP","payment_terms":"Net 30"},"corrections":{},"correlation_id":"cor_01m7z1m0kbxc5b3yct7q420x78","subject":"0016XfaO0004C9iQEE","actor":"inbox:salesforce-main","traceparent":""}],"kwargs":{}}	1795264479990
act_salesforce-main.0066XfaO0004C9pQEE.r1	{"args":[{"run_id":"act_salesforce-main.0066XfaO0004C9pQEE.r1","attempt":1,"input":{"instance":"salesforce-main","opportunity_id":"0066XfaO0004C9pQEE","revision":1,"mode":"live"},"corrections":{},"correlation_id":"cor_01m7z1m1apmf7kgnatk7drzc66","subject":"0066XfaO0004C9pQEE","actor":"inbox:salesforce-main","traceparent":""}],"kwargs":{}}	1795264480609
act_salesforce-main.0066XfaO0004C9wQEE.r1	{"args":[{"run_id":"act_salesforce-main.0066XfaO0004C9wQEE.r1","attempt":1,"input":{"instance":"salesforce-main","opportunity_id":"0066XfaO0004C9wQEE","revision":1,"mode":"live"},"corrections":{},"correlation_id":"cor_01m7z1m1ecx71923pmzvckdpgb","subject":"0066XfaO0004C9wQEE","actor":"inbox:salesforce-main","traceparent":""}],"kwargs":{}}	1795264480725
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	{"args":[{"run_id":"creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK","attempt":1,"input":{"instance":"salesforce-main","account_id":"0016XfaO0004CA3QEM","selling_entity":"NB-UK","currency":"GBP"},"corrections":{},"correlation_id":"cor_01m7z1m1nbcne5sccvpk816fzw","subject":"0016XfaO0004CA3QEM","actor":"olga.operations","traceparent":"00-333bda2c8863b392e421ba87ea4434ea-98d1e292497ea5eb-00"}],"kwargs":{}}	1795264480952
\.


--
-- Data for Name: workflow_output; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_output (workflow_uuid, output, error, retention_timestamp) FROM stdin;
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	null	\N	1795264480251
act_salesforce-main.0066XfaO0004C9iQEE.r1	null	\N	1795264480565
\.


--
-- Data for Name: workflow_schedules; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, workflow_class_name, schedule, status, context, last_fired_at, automatic_backfill, cron_timezone, queue_name, application_name) FROM stdin;
\.


--
-- Data for Name: workflow_status; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_status (workflow_uuid, status, name, authenticated_user, assumed_role, authenticated_roles, request, output, error, executor_id, created_at, updated_at, application_version, application_id, class_name, config_name, recovery_attempts, queue_name, workflow_timeout_ms, workflow_deadline_epoch_ms, inputs, started_at_epoch_ms, deduplication_id, priority, queue_partition_key, forked_from, owner_xid, parent_workflow_id, serialization, delay_until_epoch_ms, was_forked_from, rate_limited, completed_at, attributes, schedule_name, debounce_deadline_epoch_ms, is_debounced, application_name, creator_xid) FROM stdin;
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	SUCCESS	customer-master	\N	\N	\N	\N	\N	\N	house-57573-20423	1795264479990	1795264480251	enfilade-1	\N	\N	\N	1	enfilade-start	\N	\N	\N	1795264480027	\N	0	\N	\N	\N	\N	enfilade_json_1	\N	f	f	1795264480251	null	\N	\N	f	enfilade	47a482f4-6d80-4edc-8ec7-acf311821a8c
act_salesforce-main.0066XfaO0004C9iQEE.r1	SUCCESS	opportunity-to-project	\N	\N	\N	\N	\N	\N	house-57573-20423	1795264479862	1795264480565	enfilade-1	\N	\N	\N	1	enfilade-start	\N	\N	\N	1795264479912	\N	0	\N	\N	\N	\N	enfilade_json_1	\N	f	f	1795264480565	null	\N	\N	f	enfilade	81803868-5c9b-4e2f-88eb-64aaf9940e90
act_salesforce-main.0066XfaO0004C9pQEE.r1	PENDING	opportunity-to-project	\N	\N	\N	\N	\N	\N	house-57573-20423	1795264480609	1795264480623	enfilade-1	\N	\N	\N	1	enfilade-start	\N	\N	\N	1795264480623	\N	0	\N	\N	ed7f8ad5-375e-41f0-95ac-6eac5d1db256	\N	enfilade_json_1	\N	f	f	\N	null	\N	\N	f	enfilade	5a9a7e9e-268c-4386-b136-d6c744c8b521
act_salesforce-main.0066XfaO0004C9wQEE.r1	PENDING	opportunity-to-project	\N	\N	\N	\N	\N	\N	house-57573-20423	1795264480725	1795264480738	enfilade-1	\N	\N	\N	1	enfilade-start	\N	\N	\N	1795264480738	\N	0	\N	\N	3f21e4a2-b7f4-4419-9fa9-3a9cfec4ed87	\N	enfilade_json_1	\N	f	f	\N	null	\N	\N	f	enfilade	a85b445c-d25a-43fa-baaf-f98fd7d61f80
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	PENDING	customer-master	\N	\N	\N	\N	\N	\N	house-57573-20423	1795264480952	1795264481105	enfilade-1	\N	\N	\N	1	enfilade-start	\N	\N	\N	1795264481105	\N	0	\N	\N	fd0856fb-1ff5-4c5e-b07f-107a7190fa66	\N	enfilade_json_1	\N	f	f	\N	null	\N	\N	f	enfilade	e80197b7-c3cd-4973-86f7-2faf58b1428f
\.


--
-- Data for Name: accounts; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.accounts (instance, account_id, name, customer_id, seen_at) FROM stdin;
salesforce-main	0016XfaO0004C9iQEE	Deal dump-0 1 Ltd	cus_01m7z1m0wptqyd8f5zq1yjjjaw	2026-11-21 12:34:40.545023+00
\.


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.alembic_version (version_num) FROM stdin;
process_0001
kit_0001
\.


--
-- Data for Name: audit; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.audit (chain, seq, at, actor, consumer, action, subject, outcome, detail, correlation_id, previous, hash) FROM stdin;
3a1096ff9b6f72db	1	2026-11-21 12:34:40.32123+00	crm-screen	crm-screen	experience/crm-ui@1.activate_opportunity	/experience/crm-ui/v1/opportunities/0066XfaO0004C9iQEE/activation	202	{"method": "POST", "source": "127.0.0.1", "status": 202}	cor_01m7z1m0jdadznaynfydr7mtcd	0000000000000000000000000000000000000000000000000000000000000000	ee18552c790606eccee193b48488e056614a672cbb97d608684f0886e1564c0d
3a1096ff9b6f72db	2	2026-11-21 12:34:40.655451+00	inbox:salesforce-main		exception.raised	exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	missing_master_data	{"flow": "opportunity-to-project", "step": "validate", "subject": "0066XfaO0004C9pQEE"}	cor_01m7z1m1apmf7kgnatk7drzc66	ee18552c790606eccee193b48488e056614a672cbb97d608684f0886e1564c0d	7890b796d26343ba0ddd3d46e9e164edbacc8e753dcc3bc79713e6a0bb635e6b
3a1096ff9b6f72db	3	2026-11-21 12:34:40.782975+00	inbox:salesforce-main		exception.raised	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	missing_master_data	{"flow": "opportunity-to-project", "step": "validate", "subject": "0066XfaO0004C9wQEE"}	cor_01m7z1m1ecx71923pmzvckdpgb	7890b796d26343ba0ddd3d46e9e164edbacc8e753dcc3bc79713e6a0bb635e6b	96ec47c5fbf34aba195483f116edd933f094d3b9c49ffd72940f08ce2b4ef44c
3a1096ff9b6f72db	4	2026-11-21 12:34:41.270909+00	fiona.finance	finance-desk	exception.resolved	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	undo	{"reason": "The deal was entered twice", "corrections": {}}	cor_01m7z1m1ecx71923pmzvckdpgb	96ec47c5fbf34aba195483f116edd933f094d3b9c49ffd72940f08ce2b4ef44c	37776d7a5653748c73c3a9cbb7019052a1c77c7169b66fc07acf0a4952fd695e
3a1096ff9b6f72db	5	2026-11-21 12:34:41.318738+00	olga.operations	operations	process/customer-master@1.propose_customer	/process/customer-master/v1/requests	202	{"method": "POST", "source": "127.0.0.1", "status": 202}	cor_01m7z1m1nbcne5sccvpk816fzw	37776d7a5653748c73c3a9cbb7019052a1c77c7169b66fc07acf0a4952fd695e	127562e215cf8d34f884c3540039e0b4bbbe9b6bd21f7538e202454b13843d4b
3a1096ff9b6f72db	6	2026-11-21 12:34:41.318812+00	fiona.finance	finance-desk	process/exceptions@1.resolve_exception	/process/exceptions/v1/exceptions/exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002/resolution	200	{"method": "POST", "source": "127.0.0.1", "status": 200}	cor_01m7z1m1z6taxeyfce6wfg6006	127562e215cf8d34f884c3540039e0b4bbbe9b6bd21f7538e202454b13843d4b	299aba5158c1d1fdebadfe4b7c0c6a71990952be7ff1d38dee278e1826e44c60
\.


--
-- Data for Name: audit_heads; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.audit_heads (chain, seq, hash) FROM stdin;
3a1096ff9b6f72db	6	299aba5158c1d1fdebadfe4b7c0c6a71990952be7ff1d38dee278e1826e44c60
\.


--
-- Data for Name: crossrefs; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.crossrefs (instance, object, vendor_id, kind, id, url, created_at, updated_at) FROM stdin;
salesforce-main	opportunity	0066XfaO0004C9iQEE	opportunity	opp_01m7z1m0ky325rnxtg0qzzg1zt		2026-11-21 12:34:39.87185+00	2026-11-21 12:34:39.87185+00
netsuite-main	customer	103	customer	cus_01m7z1m0wptqyd8f5zq1yjjjaw	https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103	2026-11-21 12:34:40.15048+00	2026-11-21 12:34:40.150762+00
kantata-main	client	77	customer	cus_01m7z1m0wptqyd8f5zq1yjjjaw		2026-11-21 12:34:40.153416+00	2026-11-21 12:34:40.152252+00
salesforce-main	customer	0016XfaO0004C9iQEE	customer	cus_01m7z1m0wptqyd8f5zq1yjjjaw	http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view	2026-11-21 12:34:40.154091+00	2026-11-21 12:34:40.153591+00
netsuite-main	contract	1001	contract	con_01m7z1m15xzjp15f4psqd7tvrs	https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001	2026-11-21 12:34:40.446728+00	2026-11-21 12:34:40.447319+00
netsuite-main	external_id	enf-con-salesforce-main-0066XfaO0004C9iQEE-r1	contract	con_01m7z1m15xzjp15f4psqd7tvrs		2026-11-21 12:34:40.450537+00	2026-11-21 12:34:40.449497+00
kantata-main	project	3467375	project	prj_01m7z1m163411yanwzmzkpj7v5	https://app.mavenlink.com/workspaces/3467375	2026-11-21 12:34:40.452099+00	2026-11-21 12:34:40.452481+00
salesforce-main	opportunity	0066XfaO0004C9pQEE	opportunity	opp_01m7z1m1b4k0g6xc2txfre9b3y		2026-11-21 12:34:40.613658+00	2026-11-21 12:34:40.613658+00
salesforce-main	opportunity	0066XfaO0004C9wQEE	opportunity	opp_01m7z1m1er74efmzcr94ghzcp0		2026-11-21 12:34:40.72867+00	2026-11-21 12:34:40.72867+00
\.


--
-- Data for Name: cursors; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.cursors (name, value, updated_at) FROM stdin;
kantata-main:kantata-main:feed	{"at":"2026-11-21T12:34:39.424302Z","floor":"2026-11-21T12:34:39.424302Z"}	2026-11-21 12:34:39.425642+00
kantata-main:kantata-main:poll	{"at":"2026-11-21T12:34:39.428823Z","floor":"2026-11-21T12:34:39.428823Z"}	2026-11-21 12:34:39.429532+00
netsuite-main:netsuite-main:poll:contract	2026-11-21T12:34:39.436855+00:00	2026-11-21 12:34:39.439686+00
netsuite-main:netsuite-main:poll:customer	2026-11-21T12:34:39.430920+00:00	2026-11-21 12:34:39.790588+00
salesforce-main:salesforce-main:poll:Opportunity	{"at":"2026-11-21T12:34:40Z","floor":"2026-11-21T12:34:32Z"}	2026-11-21 12:34:40.810126+00
salesforce-main:salesforce-main:poll:Account	{"at":"2026-11-21T12:34:40Z","floor":"2026-11-21T12:34:32Z"}	2026-11-21 12:34:40.832039+00
salesforce-main:salesforce-main:stream:Opportunity	00000000000000400000	2026-11-21 12:34:40.852743+00
salesforce-main:salesforce-main:stream:Account	00000000000000380000	2026-11-21 12:34:40.852906+00
\.


--
-- Data for Name: customers; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.customers (id, status, legal_name, document, updated_at) FROM stdin;
cus_01m7z1m0wptqyd8f5zq1yjjjaw	approved	Deal dump-0 1 Ltd	{"id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw", "refs": [{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "77", "object": "client", "instance": "kantata-main"}, {"id": "0016XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view", "object": "customer", "instance": "salesforce-main"}], "status": "approved", "version": "2026-11-21T12:34:40Z", "currency": "GBP", "legal_name": "Deal dump-0 1 Ltd", "updated_at": "2026-11-21T12:34:40.156378Z", "credit_limit": {"amount": "40000.00", "currency": "GBP"}, "payment_terms": "Net 30", "selling_entity": "NB-UK", "billing_address": {"city": "Leeds", "line1": "1 Quay Street", "country": "GB", "postal_code": "LS1 1AA"}, "tax_registrations": [{"number": "GB254402743", "country": "GB"}]}	2026-11-21 12:34:40.156378+00
\.


--
-- Data for Name: due; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.due (id, kind, subject, correlation_id, due_at, breached_at) FROM stdin;
exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	exception	0066XfaO0004C9pQEE	cor_01m7z1m1apmf7kgnatk7drzc66	2026-11-21 20:34:40.652162+00	\N
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK/1000003	wait	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	cor_01m7z1m1nbcne5sccvpk816fzw	2026-11-22 12:34:41.148291+00	\N
\.


--
-- Data for Name: engagements; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.engagements (activation_id, instance, account_id, opportunity_id, status, document, updated_at) FROM stdin;
act_salesforce-main.0066XfaO0004C9iQEE.r1	salesforce-main	0016XfaO0004C9iQEE	0066XfaO0004C9iQEE	done	{"end": "2027-06-30", "start": "2027-01-11", "value": {"amount": "96000.00", "currency": "GBP"}, "project_id": "prj_01m7z1m163411yanwzmzkpj7v5", "contract_id": "con_01m7z1m15xzjp15f4psqd7tvrs", "billing_schedule": [{"due": "2027-02-14", "amount": {"amount": "24000.00", "currency": "GBP"}, "description": "Migration plan agreed"}, {"due": "2027-06-04", "amount": {"amount": "48000.00", "currency": "GBP"}, "description": "Last wave moved"}, {"due": "2027-06-30", "amount": {"amount": "24000.00", "currency": "GBP"}, "description": "Accepted"}], "opportunity_name": "Deal dump-0 1"}	2026-11-21 12:34:40.545781+00
\.


--
-- Data for Name: event_sequences; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.event_sequences (partitionkey, sequence) FROM stdin;
0066XfaO0004C9iQEE	1
cus_01m7z1m0wptqyd8f5zq1yjjjaw	1
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1
con_01m7z1m15xzjp15f4psqd7tvrs	1
prj_01m7z1m163411yanwzmzkpj7v5	2
act_salesforce-main.0066XfaO0004C9iQEE.r1	3
exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	1
act_salesforce-main.0066XfaO0004C9pQEE.r1	1
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	1
exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	2
act_salesforce-main.0066XfaO0004C9wQEE.r1	2
\.


--
-- Data for Name: events; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.events (number, id, "position", source, type, subject, partitionkey, sequence, correlation_id, "time", data, dataschema) FROM stdin;
1	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_won	\N	/enfilade	enfilade.opportunity.won.v1	0066XfaO0004C9iQEE	0066XfaO0004C9iQEE	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:39.977226+00	{"id": "0066XfaO0004C9iQEE", "object": "opportunity", "instance": "salesforce-main"}	
2	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_1000008	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9iQEE.r1	act_salesforce-main.0066XfaO0004C9iQEE.r1	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.038515+00	{"flow": "opportunity-to-project", "status": "waiting", "status_text": "Waiting until Deal dump-0 1 Ltd is approved as a customer", "workflow_id": "act_salesforce-main.0066XfaO0004C9iQEE.r1"}	
3	evt_creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK_approved	\N	/enfilade	enfilade.customer.approved.v1	cus_01m7z1m0wptqyd8f5zq1yjjjaw	cus_01m7z1m0wptqyd8f5zq1yjjjaw	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.173225+00	{"legal_name": "Deal dump-0 1 Ltd", "customer_id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw", "selling_entity": "NB-UK"}	
4	evt_creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK_1000007	\N	/enfilade	enfilade.workflow.status_changed.v1	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.186982+00	{"flow": "customer-master", "status": "done", "status_text": "Deal dump-0 1 Ltd is a customer", "workflow_id": "creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK"}	
5	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_1000009	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9iQEE.r1	act_salesforce-main.0066XfaO0004C9iQEE.r1	2	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.252319+00	{"flow": "opportunity-to-project", "status": "running", "status_text": "Customer master settles the customer", "workflow_id": "act_salesforce-main.0066XfaO0004C9iQEE.r1"}	
6	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_contract-activated	\N	/enfilade	enfilade.contract.activated.v1	con_01m7z1m15xzjp15f4psqd7tvrs	con_01m7z1m15xzjp15f4psqd7tvrs	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.477035+00	{"value": {"amount": "96000.00", "currency": "GBP"}, "revision": 1, "contract_id": "con_01m7z1m15xzjp15f4psqd7tvrs", "customer_id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw"}	
7	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_project-created	\N	/enfilade	enfilade.project.created.v1	prj_01m7z1m163411yanwzmzkpj7v5	prj_01m7z1m163411yanwzmzkpj7v5	1	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.488277+00	{"name": "Deal dump-0 1", "project_id": "prj_01m7z1m163411yanwzmzkpj7v5", "contract_id": "con_01m7z1m15xzjp15f4psqd7tvrs", "customer_id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw"}	
8	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_staffing-demand	\N	/enfilade	enfilade.staffing_demand.published.v1	prj_01m7z1m163411yanwzmzkpj7v5	prj_01m7z1m163411yanwzmzkpj7v5	2	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.501104+00	{"demand": [{"id": "81501", "end": "2027-06-30", "role": "Engagement Manager", "hours": "100.00", "start": "2027-01-11", "region": "UKI"}, {"id": "81502", "end": "2027-06-30", "role": "Cloud Architect", "hours": "300.00", "start": "2027-01-11", "region": "UKI"}, {"id": "81503", "end": "2027-06-30", "role": "Consultant", "hours": "266.50", "start": "2027-01-11", "region": "UKI"}], "project_id": "prj_01m7z1m163411yanwzmzkpj7v5"}	
9	evt_act_salesforce-main.0066XfaO0004C9iQEE.r1_1000020	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9iQEE.r1	act_salesforce-main.0066XfaO0004C9iQEE.r1	3	cor_01m7z1m0kbxc5b3yct7q420x78	2026-11-21 12:34:40.556366+00	{"flow": "opportunity-to-project", "status": "done", "status_text": "Deal dump-0 1 is a project", "workflow_id": "act_salesforce-main.0066XfaO0004C9iQEE.r1"}	
10	evt_01m7z1m1cg7ax3dxh9jycy5k19	\N	/enfilade	enfilade.exception.raised.v1	exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	1	cor_01m7z1m1apmf7kgnatk7drzc66	2026-11-21 12:34:40.658786+00	{"flow": "opportunity-to-project", "kind": "missing_master_data", "owner": "sales operations", "status": "open", "subject": "0066XfaO0004C9pQEE", "exception_id": "exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002"}	
11	evt_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9pQEE.r1	act_salesforce-main.0066XfaO0004C9pQEE.r1	1	cor_01m7z1m1apmf7kgnatk7drzc66	2026-11-21 12:34:40.664906+00	{"flow": "opportunity-to-project", "status": "parked", "status_text": "The opportunity 0066XfaO0004C9pQEE could not become a project.", "workflow_id": "act_salesforce-main.0066XfaO0004C9pQEE.r1"}	
12	evt_01m7z1m1gh90ysp5kgeebmgahk	\N	/enfilade	enfilade.exception.raised.v1	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	1	cor_01m7z1m1ecx71923pmzvckdpgb	2026-11-21 12:34:40.785975+00	{"flow": "opportunity-to-project", "kind": "missing_master_data", "owner": "sales operations", "status": "open", "subject": "0066XfaO0004C9wQEE", "exception_id": "exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002"}	
13	evt_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9wQEE.r1	act_salesforce-main.0066XfaO0004C9wQEE.r1	1	cor_01m7z1m1ecx71923pmzvckdpgb	2026-11-21 12:34:40.791744+00	{"flow": "opportunity-to-project", "status": "parked", "status_text": "The opportunity 0066XfaO0004C9wQEE could not become a project.", "workflow_id": "act_salesforce-main.0066XfaO0004C9wQEE.r1"}	
14	evt_creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK_1000003	\N	/enfilade	enfilade.workflow.status_changed.v1	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	1	cor_01m7z1m1nbcne5sccvpk816fzw	2026-11-21 12:34:41.158049+00	{"flow": "customer-master", "status": "waiting", "status_text": "Waiting for finance: The credit limit of 250,000.00 GBP is above 100,000 GBP. (Deal dump-0 4 Ltd)", "workflow_id": "creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK"}	
15	evt_01m7z1m1zr8ps2aebxkrb0kykv	\N	/enfilade	enfilade.exception.resolved.v1	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	2	cor_01m7z1m1ecx71923pmzvckdpgb	2026-11-21 12:34:41.273656+00	{"flow": "opportunity-to-project", "kind": "missing_master_data", "owner": "sales operations", "status": "resolved", "subject": "0066XfaO0004C9wQEE", "exception_id": "exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002"}	
16	evt_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000003	\N	/enfilade	enfilade.workflow.status_changed.v1	act_salesforce-main.0066XfaO0004C9wQEE.r1	act_salesforce-main.0066XfaO0004C9wQEE.r1	2	cor_01m7z1m1ecx71923pmzvckdpgb	2026-11-21 12:34:41.304794+00	{"flow": "opportunity-to-project", "status": "running", "status_text": "Check customer, terms, selling entity, tax and rate card", "workflow_id": "act_salesforce-main.0066XfaO0004C9wQEE.r1"}	
\.


--
-- Data for Name: exceptions; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.exceptions (id, version, kind, status, flow, subject, stopped, why, what_next, owner, correlation_id, raised_at, due_at, workflow_id, step, errors, before, after, caused_by, resume, action, corrections, resolved_at, resolved_by, resolution) FROM stdin;
exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	1	missing_master_data	open	opportunity-to-project	0066XfaO0004C9pQEE	The opportunity 0066XfaO0004C9pQEE could not become a project.	Deal dump-0 2: one thing is missing or wrong.	Correct the fields named below on the opportunity or its account, then replay.	sales operations	cor_01m7z1m1apmf7kgnatk7drzc66	2026-11-21 12:34:40.652176+00	2026-11-21 20:34:40.652162+00	act_salesforce-main.0066XfaO0004C9pQEE.r1	validate	[{"code": "missing", "field": "Rate card", "detail": "Rate card is empty. Fill it in on the opportunity.", "pointer": "/rate_card", "fixed_by": "the opportunity's owner in the CRM"}]	{}	{}	inbox:salesforce-main	{"kind": "signal", "workflow_id": "act_salesforce-main.0066XfaO0004C9pQEE.r1"}		{}	\N		
exc_act_salesforce-main.0066XfaO0004C9wQEE.r1_1000002	2	missing_master_data	resolved	opportunity-to-project	0066XfaO0004C9wQEE	The opportunity 0066XfaO0004C9wQEE could not become a project.	Deal dump-0 3: one thing is missing or wrong.	Correct the fields named below on the opportunity or its account, then replay.	sales operations	cor_01m7z1m1ecx71923pmzvckdpgb	2026-11-21 12:34:40.779552+00	2026-11-21 20:34:40.779527+00	act_salesforce-main.0066XfaO0004C9wQEE.r1	validate	[{"code": "missing", "field": "Rate card", "detail": "Rate card is empty. Fill it in on the opportunity.", "pointer": "/rate_card", "fixed_by": "the opportunity's owner in the CRM"}]	{}	{}	inbox:salesforce-main	{"kind": "signal", "workflow_id": "act_salesforce-main.0066XfaO0004C9wQEE.r1"}	undo	{}	2026-11-21 12:34:41.267159+00	fiona.finance	The deal was entered twice
\.


--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.idempotency_keys (consumer, operation, key, fingerprint, holder, status, headers, body, reserved_at, expires_at) FROM stdin;
operations	process/customer-master@1.propose_customer	release-dump-1	53220e6bbd53a5e9c0fe29abbbb6a7dcdfd4063e7f157bdd5b3be6d35db49592	197a9cbf2aa76cef	202	{"etag": "\\"1\\"", "content-type": "application/json"}	\\x7b226964223a22637265715f73616c6573666f7263652d6d61696e2e303031365866614f3030303443413351454d2e4e422d554b222c2276657273696f6e223a2231222c22737461747573223a2272756e6e696e67222c227374617475735f74657874223a224163636570746564222c2270726f706f73616c223a7b22696e7374616e6365223a2273616c6573666f7263652d6d61696e222c226163636f756e745f6964223a22303031365866614f3030303443413351454d222c2273656c6c696e675f656e74697479223a224e422d554b222c2263757272656e6379223a22474250227d2c22636f7272656c6174696f6e5f6964223a22636f725f30316d377a316d316e62636e653573636376706b383136667a77222c22737461727465645f6174223a22323032362d31312d32315431323a33343a34302e3935313638325a222c22757064617465645f6174223a22323032362d31312d32315431323a33343a34302e3935313638375a222c227265717565737465645f6279223a226f6c67612e6f7065726174696f6e73227d	2026-11-21 12:34:40.942224+00	2026-11-22 12:34:40.942224+00
finance-desk	process/exceptions@1.resolve_exception	release-dump-2	8bc3491cd715a12297c2ac62e4439b4d11dffd7dd6d21ec7e10cc3163cb48ac4	b24d05d0c4dfa78c	200	{"etag": "\\"2\\"", "content-type": "application/json"}	\\x7b226964223a226578635f6163745f73616c6573666f7263652d6d61696e2e303036365866614f303030344339775145452e72315f31303030303032222c2276657273696f6e223a2232222c226b696e64223a226d697373696e675f6d61737465725f64617461222c22737461747573223a227265736f6c766564222c22666c6f77223a226f70706f7274756e6974792d746f2d70726f6a656374222c227375626a656374223a22303036365866614f30303034433977514545222c2273746f70706564223a22546865206f70706f7274756e69747920303036365866614f3030303443397751454520636f756c64206e6f74206265636f6d6520612070726f6a6563742e222c22776879223a224465616c2064756d702d3020333a206f6e65207468696e67206973206d697373696e67206f722077726f6e672e222c22776861745f6e657874223a22436f727265637420746865206669656c6473206e616d65642062656c6f77206f6e20746865206f70706f7274756e697479206f7220697473206163636f756e742c207468656e207265706c61792e222c226f776e6572223a2273616c6573206f7065726174696f6e73222c22636f7272656c6174696f6e5f6964223a22636f725f30316d377a316d316563783731393233706d7a76636b64706762222c227261697365645f6174223a22323032362d31312d32315431323a33343a34302e3737393535325a222c226475655f6174223a22323032362d31312d32315432303a33343a34302e3737393532375a222c22776f726b666c6f775f6964223a226163745f73616c6573666f7263652d6d61696e2e303036365866614f303030344339775145452e7231222c2273746570223a2276616c6964617465222c226572726f7273223a5b7b22706f696e746572223a222f726174655f63617264222c2264657461696c223a2252617465206361726420697320656d7074792e2046696c6c20697420696e206f6e20746865206f70706f7274756e6974792e222c22636f6465223a226d697373696e67222c226669656c64223a22526174652063617264222c2266697865645f6279223a22746865206f70706f7274756e6974792773206f776e657220696e207468652043524d227d5d2c226361757365645f6279223a22696e626f783a73616c6573666f7263652d6d61696e222c227265736f6c7665645f6174223a22323032362d31312d32315431323a33343a34312e3236373135395a222c227265736f6c7665645f6279223a2266696f6e612e66696e616e6365222c227265736f6c7574696f6e223a22546865206465616c2077617320656e7465726564207477696365227d	2026-11-21 12:34:41.258406+00	2026-11-22 12:34:41.258406+00
\.


--
-- Data for Name: inbox; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.inbox (seq, source, id, type, key, data, occurred_at, received_at, correlation_id, status, attempts, next_at, error, exception_id, handled_at) FROM stdin;
1	netsuite-main	poll:customer:101:2026-11-21T12:34:32Z	enfilade.customer.changed.v1	netsuite-main:customer:101	{"id": "101", "object": "customer", "version": "2026-11-21T12:34:32Z", "instance": "netsuite-main", "changed_at": "2026-11-21T12:34:32Z"}	2026-11-21 12:34:32+00	2026-11-21 12:34:39.739784+00	cor_01m7z1m0f7sf6b525v69ygpbew	done	0	2026-11-21 12:34:39.739784+00			2026-11-21 12:34:39.762491+00
2	netsuite-main	poll:customer:102:2026-11-21T12:34:32Z	enfilade.customer.changed.v1	netsuite-main:customer:102	{"id": "102", "object": "customer", "version": "2026-11-21T12:34:32Z", "instance": "netsuite-main", "changed_at": "2026-11-21T12:34:32Z"}	2026-11-21 12:34:32+00	2026-11-21 12:34:39.76145+00	cor_01m7z1m0g25kgsx5mv1tg5pta9	done	0	2026-11-21 12:34:39.76145+00			2026-11-21 12:34:39.804575+00
3	salesforce-main	customer:0016XfaO0004C9iQEE:1795264479	enfilade.customer.changed.v1	salesforce-main:customer:0016XfaO0004C9iQEE	{"id": "0016XfaO0004C9iQEE", "object": "customer", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:39Z"}	2026-11-21 12:34:39+00	2026-11-21 12:34:39.826433+00	cor_01m7z1m0jgf646trcbdpewr891	done	0	2026-11-21 12:34:39.826433+00			2026-11-21 12:34:39.831541+00
4	salesforce-main	opportunity:0066XfaO0004C9iQEE:won:1795264479	enfilade.opportunity.won.v1	salesforce-main:opportunity:0066XfaO0004C9iQEE	{"id": "0066XfaO0004C9iQEE", "fields": ["stage"], "object": "opportunity", "values": {"stage": "won"}, "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:39Z"}	2026-11-21 12:34:39+00	2026-11-21 12:34:39.853196+00	cor_01m7z1m0kbxc5b3yct7q420x78	done	0	2026-11-21 12:34:39.853196+00			2026-11-21 12:34:39.88573+00
5	customer-master	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK:settled	enfilade.customer.settled.v1	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	{"request_id": "creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK"}	2026-11-21 12:34:40.195006+00	2026-11-21 12:34:40.196814+00	cor_01m7z1m0kbxc5b3yct7q420x78	done	0	2026-11-21 12:34:40.196814+00			2026-11-21 12:34:40.215448+00
6	salesforce-main	opportunity:0066XfaO0004C9iQEE:1795264480	enfilade.opportunity.changed.v1	salesforce-main:opportunity:0066XfaO0004C9iQEE	{"id": "0066XfaO0004C9iQEE", "by_us": true, "fields": ["project_ref"], "object": "opportunity", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.523376+00	cor_01m7z1m186300b0v2f6r335ffc	ignored	0	2026-11-21 12:34:40.523376+00			2026-11-21 12:34:40.536143+00
7	salesforce-main	opportunity:0066XfaO0004C9pQEE:1795264480	enfilade.opportunity.changed.v1	salesforce-main:opportunity:0066XfaO0004C9pQEE	{"id": "0066XfaO0004C9pQEE", "object": "opportunity", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.577519+00	cor_01m7z1m19xmb7f9dns5shx1aas	ignored	0	2026-11-21 12:34:40.577519+00			2026-11-21 12:34:40.592461+00
8	salesforce-main	customer:0016XfaO0004C9pQEE:1795264480	enfilade.customer.changed.v1	salesforce-main:customer:0016XfaO0004C9pQEE	{"id": "0016XfaO0004C9pQEE", "object": "customer", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.579467+00	cor_01m7z1m19xpfc7bhm06h6wp70z	done	0	2026-11-21 12:34:40.579467+00			2026-11-21 12:34:40.594499+00
9	salesforce-main	opportunity:0066XfaO0004C9pQEE:won:1795264480	enfilade.opportunity.won.v1	salesforce-main:opportunity:0066XfaO0004C9pQEE	{"id": "0066XfaO0004C9pQEE", "fields": ["stage"], "object": "opportunity", "values": {"stage": "won"}, "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.60221+00	cor_01m7z1m1apmf7kgnatk7drzc66	done	0	2026-11-21 12:34:40.60221+00			2026-11-21 12:34:40.618483+00
10	salesforce-main	customer:0016XfaO0004C9wQEE:1795264480	enfilade.customer.changed.v1	salesforce-main:customer:0016XfaO0004C9wQEE	{"id": "0016XfaO0004C9wQEE", "object": "customer", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.680948+00	cor_01m7z1m1d6kx066mgyetb6rgp2	done	0	2026-11-21 12:34:40.680948+00			2026-11-21 12:34:40.685187+00
11	salesforce-main	opportunity:0066XfaO0004C9wQEE:1795264480	enfilade.opportunity.changed.v1	salesforce-main:opportunity:0066XfaO0004C9wQEE	{"id": "0066XfaO0004C9wQEE", "object": "opportunity", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.694492+00	cor_01m7z1m1dmv34wh9w87002e6v9	ignored	0	2026-11-21 12:34:40.694492+00			2026-11-21 12:34:40.710362+00
12	salesforce-main	opportunity:0066XfaO0004C9wQEE:won:1795264480	enfilade.opportunity.won.v1	salesforce-main:opportunity:0066XfaO0004C9wQEE	{"id": "0066XfaO0004C9wQEE", "fields": ["stage"], "object": "opportunity", "values": {"stage": "won"}, "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.721655+00	cor_01m7z1m1ecx71923pmzvckdpgb	done	0	2026-11-21 12:34:40.721655+00			2026-11-21 12:34:40.737627+00
21	salesforce-main	customer:0016XfaO0004CA3QEM:1795264480	enfilade.customer.changed.v1	salesforce-main:customer:0016XfaO0004CA3QEM	{"id": "0016XfaO0004CA3QEM", "object": "customer", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.846108+00	cor_01m7z1m1jck2g0yd9y068bng27	done	0	2026-11-21 12:34:40.846108+00			2026-11-21 12:34:40.861738+00
20	salesforce-main	opportunity:0066XfaO0004CA3QEM:1795264480	enfilade.opportunity.changed.v1	salesforce-main:opportunity:0066XfaO0004CA3QEM	{"id": "0066XfaO0004CA3QEM", "object": "opportunity", "instance": "salesforce-main", "changed_at": "2026-11-21T12:34:40Z"}	2026-11-21 12:34:40+00	2026-11-21 12:34:40.845796+00	cor_01m7z1m1ja9pb7rb1w5d03ca7d	ignored	0	2026-11-21 12:34:40.845796+00			2026-11-21 12:34:40.862076+00
\.


--
-- Data for Name: leases; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.leases (name, holder, taken_at) FROM stdin;
changes:netsuite-main:poll	vm:20423	2026-11-21 12:34:39.614248+00
changes:kantata-main:feed	vm:20423	2026-11-21 12:34:39.616136+00
changes:kantata-main:poll	vm:20423	2026-11-21 12:34:39.618463+00
changes:salesforce-main:stream:Opportunity	vm:20423	2026-11-21 12:34:39.625072+00
changes:salesforce-main:stream:Account	vm:20423	2026-11-21 12:34:39.628232+00
changes:salesforce-main:poll	vm:20423	2026-11-21 12:34:39.631275+00
\.


--
-- Data for Name: ledger; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.ledger (source, revision, target, key, state, result, attempts, sent_at, created_at, updated_at, correlation_id, workflow_id) FROM stdin;
salesforce-main:account:0016XfaO0004C9iQEE	1	netsuite-main:customer:NB-UK	enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK	done	{"id": "103", "refs": [{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK", "object": "external_id", "instance": "netsuite-main"}], "status": "approved", "version": "2026-11-21T12:34:40Z", "currency": "GBP", "legal_name": "Deal dump-0 1 Ltd", "updated_at": "2026-11-21T12:34:40Z", "credit_limit": {"amount": "40000.00", "currency": "GBP"}, "payment_terms": "Net 30", "selling_entity": "NB-UK", "billing_address": {"city": "Leeds", "line1": "1 Quay Street", "country": "GB", "postal_code": "LS1 1AA"}, "tax_registrations": [{"number": "GB254402743", "country": "GB"}]}	1	2026-11-21 12:34:40.082444+00	2026-11-21 12:34:40.076936+00	2026-11-21 12:34:40.097652+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK
salesforce-main:account:0016XfaO0004C9iQEE	1	kantata-main:client:NB-UK	enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK	done	{"id": "77", "key": "enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK", "name": "Deal dump-0 1 Ltd", "refs": [{"id": "77", "object": "client", "instance": "kantata-main"}], "version": "20261121123440-5ca44788d441", "updated_at": "2026-11-21T12:34:40Z"}	1	2026-11-21 12:34:40.123535+00	2026-11-21 12:34:40.118359+00	2026-11-21 12:34:40.136804+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK
salesforce-main:opportunity:0066XfaO0004C9iQEE	1	netsuite-main:contract	enf-con-salesforce-main-0066XfaO0004C9iQEE-r1	done	{"id": "1001", "end": "2027-06-30", "name": "Deal dump-0 1", "refs": [{"id": "1001", "url": "https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001", "object": "contract", "instance": "netsuite-main"}, {"id": "enf-con-salesforce-main-0066XfaO0004C9iQEE-r1", "object": "external_id", "instance": "netsuite-main"}], "start": "2027-01-11", "value": {"amount": "96000.00", "currency": "GBP"}, "number": "SO0001", "status": "active", "version": "2026-11-21T12:34:40Z", "updated_at": "2026-11-21T12:34:40Z", "customer_id": "103", "payment_terms": "Net 30", "pricing_model": "fixed_price", "selling_entity": "NB-UK", "opportunity_ref": "0066XfaO0004C9iQEE", "billing_schedule": [{"due": "2027-02-14", "amount": {"amount": "24000.00", "currency": "GBP"}, "description": "Migration plan agreed"}, {"due": "2027-06-04", "amount": {"amount": "48000.00", "currency": "GBP"}, "description": "Last wave moved"}, {"due": "2027-06-30", "amount": {"amount": "24000.00", "currency": "GBP"}, "description": "Accepted"}]}	1	2026-11-21 12:34:40.285741+00	2026-11-21 12:34:40.283787+00	2026-11-21 12:34:40.300188+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1
salesforce-main:opportunity:0066XfaO0004C9iQEE	1	kantata-main:project	enf-prj-salesforce-main-0066XfaO0004C9iQEE-r1	done	{"id": "3467375", "end": "2027-06-30", "key": "enf-prj-salesforce-main-0066XfaO0004C9iQEE-r1", "name": "Deal dump-0 1", "refs": [{"id": "3467375", "url": "https://app.mavenlink.com/workspaces/3467375", "object": "project", "instance": "kantata-main"}], "start": "2027-01-11", "tasks": [{"id": "26593185", "due": "2027-02-14", "kind": "task", "hours": "100.00", "start": "2027-01-11", "title": "Assessment", "status": "not started"}, {"id": "26593186", "due": "2027-02-14", "kind": "milestone", "start": "2027-02-14", "title": "Migration plan agreed", "status": "not started"}, {"id": "26593187", "due": "2027-06-04", "kind": "task", "hours": "433.25", "start": "2027-02-14", "title": "Migration waves", "status": "not started"}, {"id": "26593188", "due": "2027-06-04", "kind": "milestone", "start": "2027-06-04", "title": "Last wave moved", "status": "not started"}, {"id": "26593189", "due": "2027-06-30", "kind": "task", "hours": "133.25", "start": "2027-06-04", "title": "Optimise and hand over", "status": "not started"}, {"id": "26593190", "due": "2027-06-30", "kind": "milestone", "start": "2027-06-30", "title": "Accepted", "status": "not started"}], "budget": {"amount": "96000.00", "currency": "GBP"}, "status": "planned", "manager": "Ines Falk", "version": "20261121123440-046cc4a9ecdd", "updated_at": "2026-11-21T12:34:40Z", "contract_id": "SO0001", "customer_id": "77", "budget_hours": "666.50", "planned_roles": [{"id": "81501", "end": "2027-06-30", "role": "Engagement Manager", "hours": "100.00", "start": "2027-01-11", "region": "UKI"}, {"id": "81502", "end": "2027-06-30", "role": "Cloud Architect", "hours": "300.00", "start": "2027-01-11", "region": "UKI"}, {"id": "81503", "end": "2027-06-30", "role": "Consultant", "hours": "266.50", "start": "2027-01-11", "region": "UKI"}]}	1	2026-11-21 12:34:40.330403+00	2026-11-21 12:34:40.327575+00	2026-11-21 12:34:40.421032+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1
\.


--
-- Data for Name: runs; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.runs (id, flow, status, status_text, version, "position", attempt, engine_id, fingerprint, input, data, corrections, correlation_id, subject, actor, traceparent, exception_id, due_at, started_at, updated_at, finished_at) FROM stdin;
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	customer-master	done	Deal dump-0 1 Ltd is a customer	3	1000007	1	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	d1e51b0acf0a6cf8106699a4a0fb4edf4f54ac932dde35bd9beb215b3397ac0e	{"currency": "GBP", "instance": "salesforce-main", "account_id": "0016XfaO0004C9iQEE", "payment_terms": "Net 30", "selling_entity": "NB-UK"}	{"refs": [{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "77", "object": "client", "instance": "kantata-main"}, {"id": "0016XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view", "object": "customer", "instance": "salesforce-main"}], "reasons": [], "candidates": [], "legal_name": "Deal dump-0 1 Ltd", "customer_id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw", "credit_limit": {"amount": "40000.00", "currency": "GBP"}}	{}	cor_01m7z1m0kbxc5b3yct7q420x78	0016XfaO0004C9iQEE	inbox:salesforce-main			\N	2026-11-21 12:34:39.989974+00	2026-11-21 12:34:40.184875+00	2026-11-21 12:34:40.185012+00
act_salesforce-main.0066XfaO0004C9iQEE.r1	opportunity-to-project	done	Deal dump-0 1 is a project	7	1000020	1	act_salesforce-main.0066XfaO0004C9iQEE.r1	d3a7af527f6c8246197583331745da147c28a113cdaa347d1ce280a1c4c7894d	{"mode": "live", "instance": "salesforce-main", "revision": 1, "opportunity_id": "0066XfaO0004C9iQEE"}	{"refs": [{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "77", "object": "client", "instance": "kantata-main"}, {"id": "0016XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view", "object": "customer", "instance": "salesforce-main"}, {"id": "1001", "url": "https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001", "object": "contract", "instance": "netsuite-main"}, {"id": "enf-con-salesforce-main-0066XfaO0004C9iQEE-r1", "object": "external_id", "instance": "netsuite-main"}, {"id": "3467375", "url": "https://app.mavenlink.com/workspaces/3467375", "object": "project", "instance": "kantata-main"}], "project_id": "prj_01m7z1m163411yanwzmzkpj7v5", "contract_id": "con_01m7z1m15xzjp15f4psqd7tvrs", "customer_id": "cus_01m7z1m0wptqyd8f5zq1yjjjaw", "opportunity_name": "Deal dump-0 1", "customer_request_id": "creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK"}	{}	cor_01m7z1m0kbxc5b3yct7q420x78	0066XfaO0004C9iQEE	inbox:salesforce-main			\N	2026-11-21 12:34:39.873128+00	2026-11-21 12:34:40.553683+00	2026-11-21 12:34:40.553686+00
act_salesforce-main.0066XfaO0004C9pQEE.r1	opportunity-to-project	parked	The opportunity 0066XfaO0004C9pQEE could not become a project.	2	1000002	1	act_salesforce-main.0066XfaO0004C9pQEE.r1	23a4a3fbd55a0bc3285934d55ee68a51fd2114762ef12cceb9ef3f98582b48db	{"mode": "live", "instance": "salesforce-main", "revision": 1, "opportunity_id": "0066XfaO0004C9pQEE"}	{}	{}	cor_01m7z1m1apmf7kgnatk7drzc66	0066XfaO0004C9pQEE	inbox:salesforce-main		exc_act_salesforce-main.0066XfaO0004C9pQEE.r1_1000002	2026-11-21 20:34:40.660352+00	2026-11-21 12:34:40.614192+00	2026-11-21 12:34:40.661192+00	\N
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	customer-master	waiting	Waiting for finance: The credit limit of 250,000.00 GBP is above 100,000 GBP. (Deal dump-0 4 Ltd)	3	1000003	1	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	b76a04c5351afa2026169b42936a15e21a90002a1ff1a228c35fa3a51444251e	{"currency": "GBP", "instance": "salesforce-main", "account_id": "0016XfaO0004CA3QEM", "selling_entity": "NB-UK"}	{"reasons": ["The credit limit of 250,000.00 GBP is above 100,000 GBP."], "candidates": [], "legal_name": "Deal dump-0 4 Ltd", "credit_limit": {"amount": "250000.00", "currency": "GBP"}}	{}	cor_01m7z1m1nbcne5sccvpk816fzw	0016XfaO0004CA3QEM	olga.operations	00-333bda2c8863b392e421ba87ea4434ea-98d1e292497ea5eb-00		2026-11-22 12:34:41.148291+00	2026-11-21 12:34:40.951682+00	2026-11-21 12:34:41.155145+00	\N
act_salesforce-main.0066XfaO0004C9wQEE.r1	opportunity-to-project	running	Check customer, terms, selling entity, tax and rate card	3	1000003	1	act_salesforce-main.0066XfaO0004C9wQEE.r1	ff55800a9ed6176780620a0047ca6b803140407672cc88abda4d81fb2eef9180	{"mode": "live", "instance": "salesforce-main", "revision": 1, "opportunity_id": "0066XfaO0004C9wQEE"}	{}	{}	cor_01m7z1m1ecx71923pmzvckdpgb	0066XfaO0004C9wQEE	inbox:salesforce-main			\N	2026-11-21 12:34:40.729049+00	2026-11-21 12:34:41.302909+00	\N
\.


--
-- Data for Name: steps; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.steps (run_id, seq, name, title, status, attempts, started_at, finished_at, detail, refs, correlation_id) FROM stdin;
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000001	validate	Check customer, terms, selling entity, tax and rate card	done	1	2026-11-21 12:34:39.930148+00	2026-11-21 12:34:39.942252+00	NB-UK sells 96000.00 GBP	[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000003	show-running	Show it on the account	done	1	2026-11-21 12:34:39.957398+00	2026-11-21 12:34:39.966363+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000005	propose-customer	Hand the customer to customer master	done	1	2026-11-21 12:34:39.982484+00	2026-11-21 12:34:40.005585+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000007	await-customer	Customer master settles the customer	done	1	2026-11-21 12:34:40.015866+00	2026-11-21 12:34:40.019475+00	not settled yet	[]	cor_01m7z1m0kbxc5b3yct7q420x78
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1000001	look	Read the account and look for the same firm in the ERP	done	1	2026-11-21 12:34:40.050708+00	2026-11-21 12:34:40.0603+00	Deal dump-0 1 Ltd	[]	cor_01m7z1m0kbxc5b3yct7q420x78
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1000003	create-customer	Create the customer in the ERP	done	1	2026-11-21 12:34:40.072526+00	2026-11-21 12:34:40.1015+00		[{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "enf-cus-salesforce-main-0016XfaO0004C9iQEE-NB-UK", "object": "external_id", "instance": "netsuite-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1000004	create-client	Create the client in the PSA	done	1	2026-11-21 12:34:40.112934+00	2026-11-21 12:34:40.138718+00		[{"id": "77", "object": "client", "instance": "kantata-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1000005	cross-refer	Keep the customer with its ids in all systems	done	1	2026-11-21 12:34:40.148346+00	2026-11-21 12:34:40.162063+00		[{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "77", "object": "client", "instance": "kantata-main"}, {"id": "0016XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view", "object": "customer", "instance": "salesforce-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	1000008	wake	Wake whoever waits for the customer	done	1	2026-11-21 12:34:40.192299+00	2026-11-21 12:34:40.206076+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000008	customer	Customer master settles the customer	done	1	2026-11-21 12:34:40.023806+00	2026-11-21 12:34:40.240841+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000010	await-customer	Customer master settles the customer	done	1	2026-11-21 12:34:40.256716+00	2026-11-21 12:34:40.266601+00	Deal dump-0 1 Ltd is a customer	[{"id": "103", "url": "https://4335355.app.netsuite.com/app/common/entity/custjob.nl?id=103", "object": "customer", "instance": "netsuite-main"}, {"id": "77", "object": "client", "instance": "kantata-main"}, {"id": "0016XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Account/0016XfaO0004C9iQEE/view", "object": "customer", "instance": "salesforce-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000011	create-contract	Create the contract with its billing schedule in the ERP	done	1	2026-11-21 12:34:40.281164+00	2026-11-21 12:34:40.306136+00	SO0001, 3 billing dates	[{"id": "1001", "url": "https://4335355.app.netsuite.com/app/accounting/transactions/salesord.nl?id=1001", "object": "contract", "instance": "netsuite-main"}, {"id": "enf-con-salesforce-main-0066XfaO0004C9iQEE-r1", "object": "external_id", "instance": "netsuite-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000012	provision-project	Provision the project with its structure, roles and staffing demand in the PSA	done	1	2026-11-21 12:34:40.320464+00	2026-11-21 12:34:40.425272+00	6 tasks, 3 planned roles	[{"id": "3467375", "url": "https://app.mavenlink.com/workspaces/3467375", "object": "project", "instance": "kantata-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000013	cross-refer	Keep the ids of all systems together	done	1	2026-11-21 12:34:40.442264+00	2026-11-21 12:34:40.455127+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000018	write-back	Write the project's ids back on the opportunity	done	1	2026-11-21 12:34:40.506771+00	2026-11-21 12:34:40.521756+00		[{"id": "0066XfaO0004C9iQEE", "url": "http://127.0.0.1:44267/lightning/r/Opportunity/0066XfaO0004C9iQEE/view", "object": "opportunity", "instance": "salesforce-main"}]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9iQEE.r1	1000019	show-done	Show it on the account	done	1	2026-11-21 12:34:40.540627+00	2026-11-21 12:34:40.546817+00		[]	cor_01m7z1m0kbxc5b3yct7q420x78
act_salesforce-main.0066XfaO0004C9pQEE.r1	1000001	validate	Check customer, terms, selling entity, tax and rate card	failed	1	2026-11-21 12:34:40.633023+00	2026-11-21 12:34:40.648261+00	Deal dump-0 2: one thing is missing or wrong.	[]	cor_01m7z1m1apmf7kgnatk7drzc66
act_salesforce-main.0066XfaO0004C9wQEE.r1	1000001	validate	Check customer, terms, selling entity, tax and rate card	failed	1	2026-11-21 12:34:40.753644+00	2026-11-21 12:34:40.772177+00	Deal dump-0 3: one thing is missing or wrong.	[]	cor_01m7z1m1ecx71923pmzvckdpgb
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	1000001	look	Read the account and look for the same firm in the ERP	done	1	2026-11-21 12:34:41.12309+00	2026-11-21 12:34:41.13593+00	Deal dump-0 4 Ltd	[]	cor_01m7z1m1nbcne5sccvpk816fzw
creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	1000003	decision	Finance decides on the customer	waiting	1	2026-11-21 12:34:41.149489+00	\N		[]	cor_01m7z1m1nbcne5sccvpk816fzw
\.


--
-- Data for Name: vendor_calls; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.vendor_calls (id, at, correlation_id, workflow_id, step, instance, lane, method, template, status, problem, vendor_request_id, seconds) FROM stdin;
1	2026-11-21 12:34:39.488336+00	cor_01m7z1m06h4jnf4sp81b9fs22n			salesforce-main	batch	POST	token	200			0.074137730999837
2	2026-11-21 12:34:39.566817+00	cor_01m7z1m06h4jnf4sp81b9fs22n			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		e7cada2434e4f96eeee5403b762334e5	0.0034368710000762803
3	2026-11-21 12:34:39.576987+00	cor_01m7z1m06h4jnf4sp81b9fs22n			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		3c226c5437e848fdccc2fb819486a141	0.0027427269999407144
4	2026-11-21 12:34:39.668473+00	cor_01m7z1m0c6771a84rwdhxmdgd6			netsuite-main	batch	POST	token	200		48150207-d731-5ca3-b517-fcbde4cc4874	0.0225434880001103
5	2026-11-21 12:34:39.68205+00	cor_01m7z1m0c6693dcway0m6sap6k			kantata-main	batch	GET	/users/me	200		4f875304-7053-7833-d061-b484b3f989af	0.012042082000107257
6	2026-11-21 12:34:39.691056+00	cor_01m7z1m0c6771a84rwdhxmdgd6			netsuite-main	batch	POST	/services/rest/query/v1/suiteql	200		99eae261-2024-5d06-9196-3d004eaa862f	0.010612381999862919
7	2026-11-21 12:34:39.709038+00	cor_01m7z1m0cnfv4xr13w9tex4v8a			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		ef87f9d3d2d53a7d978ca924e8587447	0.016951737999988836
8	2026-11-21 12:34:39.715527+00	cor_01m7z1m0c7act9trmsayb72gj2			kantata-main	batch	GET	/roles	200		cb05c933-2c3e-1b45-b623-c2a8c0470148	0.021685981000018728
9	2026-11-21 12:34:39.716121+00	cor_01m7z1m0c7act9trmsayb72gj2			kantata-main	batch	GET	/custom_fields	200		17d1a38a-13a3-d8aa-d9a8-df52daaecd48	0.029905026000051294
10	2026-11-21 12:34:39.741885+00	cor_01m7z1m0c6693dcway0m6sap6k			kantata-main	batch	GET	/subscribed_events	200		3d0bcf01-6573-37e7-7479-04e19a11fc9f	0.018606381999916266
11	2026-11-21 12:34:39.760783+00	cor_01m7z1m0cnfv4xr13w9tex4v8a			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		069bd1ad7a4701f3563c58660932adc0	0.006864286999871183
12	2026-11-21 12:34:39.765551+00	cor_01m7z1m0c7act9trmsayb72gj2			kantata-main	batch	GET	/workspaces	200		5cc34f1e-3299-fb9e-00c3-2263e42237b7	0.019158260000040173
13	2026-11-21 12:34:39.813685+00	cor_01m7z1m0c6771a84rwdhxmdgd6			netsuite-main	batch	POST	/services/rest/query/v1/suiteql	200		916dae0d-89db-572d-ab2d-54b2ae7886b8	0.00933440700009669
14	2026-11-21 12:34:39.845596+00	cor_01m7z1m0ced9c5kdh4zrnmq01s			salesforce-main	batch	GET	/services/data/v66.0/query	200		5ba6d3e86dc48045013e7acca10db3af	0.004264813999952821
15	2026-11-21 12:34:39.855763+00	cor_01m7z1m0jdadznaynfydr7mtcd			salesforce-main	interactive	GET	/services/data/v66.0/query	200		4349a5a9e6000e1a85544e0e26306f45	0.011955912999837892
16	2026-11-21 12:34:39.875131+00	cor_01m7z1m0jdadznaynfydr7mtcd			salesforce-main	interactive	GET	/services/data/v66.0/query	200		dae6b9253982870164bd7bf7697c91e0	0.01125581999986025
17	2026-11-21 12:34:39.933627+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		869da2363a043afa227c389dd5926a03	0.0037153460000354244
18	2026-11-21 12:34:39.939062+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		4c5aff74eb17571c43863f6e707b17ca	0.0024592639999809762
19	2026-11-21 12:34:40.052998+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	look	salesforce-main	batch	GET	/services/data/v66.0/query	200		47380bc5e640dbdaeefef6a7f760ac1b	0.0025433400001020345
20	2026-11-21 12:34:40.056704+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	look	netsuite-main	batch	POST	/services/rest/query/v1/suiteql	200		a75f06ce-8cee-5631-afb2-0b5c8b542d63	0.003353146000108609
21	2026-11-21 12:34:40.083828+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	create-customer	netsuite-main	batch	PUT	/services/rest/record/v1/customer/eid:{key}	204		30ac6a87-fd52-5fc5-9e05-b0826622e1c3	0.004093359000080454
22	2026-11-21 12:34:40.090621+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	create-customer	netsuite-main	batch	GET	/services/rest/record/v1/customer/{id}	200		e837ea43-fd87-5acf-a240-2ad2745f93e9	0.003156583000190949
23	2026-11-21 12:34:40.125073+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	create-client	kantata-main	batch	GET	/workspace_groups	200		8a3d7dd4-57d9-05cc-02f1-9eb048f404f9	0.00283470300018962
24	2026-11-21 12:34:40.128802+00	cor_01m7z1m0kbxc5b3yct7q420x78	creq_salesforce-main.0016XfaO0004C9iQEE.NB-UK	create-client	kantata-main	batch	POST	/workspace_groups	200		d669c918-2225-5f14-159c-4538404d97be	0.00376955599995199
25	2026-11-21 12:34:40.287321+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	create-contract	netsuite-main	batch	PUT	/services/rest/record/v1/billingSchedule/eid:{key}	204		fdd64743-1b3e-5dab-b0bd-c311e010f927	0.003492423999887251
26	2026-11-21 12:34:40.291478+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	create-contract	netsuite-main	batch	PUT	/services/rest/record/v1/salesOrder/eid:{key}	204		0187f71f-7615-5c6f-b09e-5b437417495b	0.002645472000040172
27	2026-11-21 12:34:40.294585+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	create-contract	netsuite-main	batch	GET	/services/rest/record/v1/salesOrder/{id}	200		d50243d3-9020-57b9-9363-177b8148be53	0.0019498850001582468
28	2026-11-21 12:34:40.332286+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	GET	/workspaces	200		d5853df0-4cfb-4676-aa59-66e729047890	0.005279284999915035
29	2026-11-21 12:34:40.344793+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/workspaces	200		0b253207-4be8-92da-d3e0-60a01945b228	0.0064964390001023276
30	2026-11-21 12:34:40.354021+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/stories	200		4f798c9d-a895-9372-e37b-850039d08ad9	0.0034173719998307206
31	2026-11-21 12:34:40.361782+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/workspace_resources	200		bd3b52b6-4a92-8596-8a40-ca89b0f8ffa9	0.00417234700012159
32	2026-11-21 12:34:40.382466+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/workspace_resources	200		e5034562-c14f-9f8a-f8fc-dacae5180e80	0.0037265820001266547
33	2026-11-21 12:34:40.39803+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/workspace_resources	200		f08c132d-fa5a-96e2-dc7a-32fe79e1b35a	0.0028603210000710533
34	2026-11-21 12:34:40.41046+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	provision-project	kantata-main	batch	POST	/workspace_allocations	200		2f9c224a-eb71-bae9-a834-f047ccab02a9	0.004977346000032412
35	2026-11-21 12:34:40.509492+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	write-back	salesforce-main	batch	GET	/services/data/v66.0/query	200		83d01c89aa1307d48b456fc9b3ca0260	0.003116623999858348
36	2026-11-21 12:34:40.514295+00	cor_01m7z1m0kbxc5b3yct7q420x78	act_salesforce-main.0066XfaO0004C9iQEE.r1	write-back	salesforce-main	batch	POST	/services/data/v66.0/composite	200		2963c3a63838aada7e5c1fda4fc793ae	0.0029866090001178236
37	2026-11-21 12:34:40.636903+00	cor_01m7z1m1apmf7kgnatk7drzc66	act_salesforce-main.0066XfaO0004C9pQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		55d6ea1d6891adc282f6cd6c4473f138	0.0026574789999358472
38	2026-11-21 12:34:40.640308+00	cor_01m7z1m1apmf7kgnatk7drzc66	act_salesforce-main.0066XfaO0004C9pQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		f6b24b76e0f810ee0d16aecc648af30d	0.0015399339999930817
39	2026-11-21 12:34:40.757771+00	cor_01m7z1m1ecx71923pmzvckdpgb	act_salesforce-main.0066XfaO0004C9wQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		67199605c086e6b50d2b2e6ab38fc621	0.0038535619999038317
40	2026-11-21 12:34:40.762648+00	cor_01m7z1m1ecx71923pmzvckdpgb	act_salesforce-main.0066XfaO0004C9wQEE.r1	validate	salesforce-main	batch	GET	/services/data/v66.0/query	200		98c3b967324289c9acefface815ee38a	0.0021755110001322464
41	2026-11-21 12:34:40.793202+00	cor_01m7z1m1gh96m1k59nbzbv7s7e			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		1bb9514e8c2855e58cc0543f560c93a8	0.0031258579999757785
42	2026-11-21 12:34:40.81216+00	cor_01m7z1m1gh96m1k59nbzbv7s7e			salesforce-main	batch	GET	/services/data/v66.0/queryAll	200		f57be6b1e1aac4795f0f91bd0403c905	0.005448839000109729
43	2026-11-21 12:34:41.127045+00	cor_01m7z1m1nbcne5sccvpk816fzw	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	look	salesforce-main	batch	GET	/services/data/v66.0/query	200		ce0c8583b01cfc4d1bd4804d4090a412	0.0027358660001937096
44	2026-11-21 12:34:41.130803+00	cor_01m7z1m1nbcne5sccvpk816fzw	creq_salesforce-main.0016XfaO0004CA3QEM.NB-UK	look	netsuite-main	batch	POST	/services/rest/query/v1/suiteql	200		1e399684-d365-5cd6-ab62-de2adc18ab2d	0.004695375999972384
\.


--
-- Data for Name: would_send; Type: TABLE DATA; Schema: enfilade; Owner: -
--

COPY enfilade.would_send (run_id, seq, step, instance, operation, key, body) FROM stdin;
\.


--
-- Name: event_positions; Type: SEQUENCE SET; Schema: enfilade; Owner: -
--

SELECT pg_catalog.setval('enfilade.event_positions', 1, false);


--
-- Name: events_number_seq; Type: SEQUENCE SET; Schema: enfilade; Owner: -
--

SELECT pg_catalog.setval('enfilade.events_number_seq', 16, true);


--
-- Name: inbox_seq_seq; Type: SEQUENCE SET; Schema: enfilade; Owner: -
--

SELECT pg_catalog.setval('enfilade.inbox_seq_seq', 21, true);


--
-- Name: vendor_calls_id_seq; Type: SEQUENCE SET; Schema: enfilade; Owner: -
--

SELECT pg_catalog.setval('enfilade.vendor_calls_id_seq', 44, true);


--
-- Name: application_versions application_versions_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_pkey PRIMARY KEY (version_id);


--
-- Name: application_versions application_versions_version_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_version_name_key UNIQUE (version_name);


--
-- Name: dbos_migrations dbos_migrations_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.dbos_migrations
    ADD CONSTRAINT dbos_migrations_pkey PRIMARY KEY (version);


--
-- Name: event_dispatch_kv event_dispatch_kv_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.event_dispatch_kv
    ADD CONSTRAINT event_dispatch_kv_pkey PRIMARY KEY (service_name, workflow_fn_name, key);


--
-- Name: notifications notifications_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (message_uuid);


--
-- Name: operation_outputs operation_outputs_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.operation_outputs
    ADD CONSTRAINT operation_outputs_pkey PRIMARY KEY (workflow_uuid, function_id);


--
-- Name: queues queues_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);


--
-- Name: queues queues_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);


--
-- Name: streams streams_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (workflow_uuid, key, "offset");


--
-- Name: workflow_events_history workflow_events_history_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_pkey PRIMARY KEY (workflow_uuid, function_id, key);


--
-- Name: workflow_events workflow_events_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_pkey PRIMARY KEY (workflow_uuid, key);


--
-- Name: workflow_input workflow_input_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_input
    ADD CONSTRAINT workflow_input_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_output workflow_output_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_output
    ADD CONSTRAINT workflow_output_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_schedules workflow_schedules_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_pkey PRIMARY KEY (schedule_id);


--
-- Name: workflow_schedules workflow_schedules_schedule_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_schedule_name_key UNIQUE (schedule_name);


--
-- Name: workflow_status workflow_status_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_status
    ADD CONSTRAINT workflow_status_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (instance, account_id);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: audit_heads audit_heads_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (chain);


--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (chain, seq);


--
-- Name: crossrefs crossrefs_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.crossrefs
    ADD CONSTRAINT crossrefs_pkey PRIMARY KEY (instance, object, vendor_id);


--
-- Name: cursors cursors_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.cursors
    ADD CONSTRAINT cursors_pkey PRIMARY KEY (name);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- Name: due due_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.due
    ADD CONSTRAINT due_pkey PRIMARY KEY (id);


--
-- Name: engagements engagements_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.engagements
    ADD CONSTRAINT engagements_pkey PRIMARY KEY (activation_id);


--
-- Name: event_sequences event_sequences_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.event_sequences
    ADD CONSTRAINT event_sequences_pkey PRIMARY KEY (partitionkey);


--
-- Name: events events_id_key; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.events
    ADD CONSTRAINT events_id_key UNIQUE (id);


--
-- Name: events events_in_order; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.events
    ADD CONSTRAINT events_in_order UNIQUE (partitionkey, sequence);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (number);


--
-- Name: events events_position_key; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.events
    ADD CONSTRAINT events_position_key UNIQUE ("position");


--
-- Name: exceptions exceptions_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.exceptions
    ADD CONSTRAINT exceptions_pkey PRIMARY KEY (id);


--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (consumer, operation, key);


--
-- Name: inbox inbox_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (seq);


--
-- Name: inbox inbox_seen; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.inbox
    ADD CONSTRAINT inbox_seen UNIQUE (source, id);


--
-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);


--
-- Name: ledger ledger_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (source, revision, target);


--
-- Name: runs runs_engine_id_key; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.runs
    ADD CONSTRAINT runs_engine_id_key UNIQUE (engine_id);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: steps steps_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.steps
    ADD CONSTRAINT steps_pkey PRIMARY KEY (run_id, seq);


--
-- Name: vendor_calls vendor_calls_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.vendor_calls
    ADD CONSTRAINT vendor_calls_pkey PRIMARY KEY (id);


--
-- Name: would_send would_send_pkey; Type: CONSTRAINT; Schema: enfilade; Owner: -
--

ALTER TABLE ONLY enfilade.would_send
    ADD CONSTRAINT would_send_pkey PRIMARY KEY (run_id, seq);


--
-- Name: idx_application_versions_owner_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_owner_timestamp ON dbos.application_versions USING btree (application_name, version_timestamp DESC);


--
-- Name: idx_application_versions_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_timestamp ON dbos.application_versions USING btree (version_timestamp DESC);


--
-- Name: idx_operation_outputs_completed_at_function_name_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON dbos.operation_outputs USING btree (completed_at_epoch_ms, function_name) INCLUDE (application_name);


--
-- Name: idx_operation_outputs_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_retention ON dbos.operation_outputs USING btree (retention_timestamp);


--
-- Name: idx_workflow_input_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_input_retention ON dbos.workflow_input USING btree (retention_timestamp);


--
-- Name: idx_workflow_output_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_output_retention ON dbos.workflow_output USING btree (retention_timestamp);


--
-- Name: idx_workflow_status_attributes; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_attributes ON dbos.workflow_status USING gin (attributes) WHERE (attributes IS NOT NULL);


--
-- Name: idx_workflow_status_completed_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_completed_at ON dbos.workflow_status USING btree (completed_at) WHERE (completed_at IS NOT NULL);


--
-- Name: idx_workflow_status_deadline; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_deadline ON dbos.workflow_status USING btree (workflow_deadline_epoch_ms) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text, 'DELAYED'::text])) AND (workflow_deadline_epoch_ms IS NOT NULL));


--
-- Name: idx_workflow_status_delayed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_delayed ON dbos.workflow_status USING btree (delay_until_epoch_ms) WHERE (status = 'DELAYED'::text);


--
-- Name: idx_workflow_status_failed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_failed ON dbos.workflow_status USING btree (status, created_at) WHERE (status = ANY (ARRAY['ERROR'::text, 'CANCELLED'::text, 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'::text]));


--
-- Name: idx_workflow_status_forked_from; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_forked_from ON dbos.workflow_status USING btree (forked_from) WHERE (forked_from IS NOT NULL);


--
-- Name: idx_workflow_status_in_flight_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_in_flight_v2 ON dbos.workflow_status USING btree (queue_name, status, priority, created_at) INCLUDE (application_name) WHERE (status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text]));


--
-- Name: idx_workflow_status_parent_workflow_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_parent_workflow_id ON dbos.workflow_status USING btree (parent_workflow_id) WHERE (parent_workflow_id IS NOT NULL);


--
-- Name: idx_workflow_status_partition_dequeue_v3; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON dbos.workflow_status USING btree (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text])) AND (queue_partition_key IS NOT NULL));


--
-- Name: idx_workflow_status_pending; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_pending ON dbos.workflow_status USING btree (created_at) WHERE (status = 'PENDING'::text);


--
-- Name: idx_workflow_status_rate_limited; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_rate_limited ON dbos.workflow_status USING btree (queue_name, started_at_epoch_ms) WHERE (rate_limited = true);


--
-- Name: idx_workflow_status_schedule_name; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_schedule_name ON dbos.workflow_status USING btree (schedule_name) WHERE (schedule_name IS NOT NULL);


--
-- Name: idx_workflow_status_started_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_started_at ON dbos.workflow_status USING btree (started_at_epoch_ms) WHERE (started_at_epoch_ms IS NOT NULL);


--
-- Name: idx_workflow_topic; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_topic ON dbos.notifications USING btree (destination_uuid, topic);


--
-- Name: uq_application_versions_owner_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_owner_version ON dbos.application_versions USING btree (application_name, version_name) WHERE (application_name IS NOT NULL);


--
-- Name: uq_application_versions_unclaimed_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON dbos.application_versions USING btree (version_name) WHERE (application_name IS NULL);


--
-- Name: uq_workflow_status_dedup_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON dbos.workflow_status USING btree (queue_name, deduplication_id) WHERE (deduplication_id IS NOT NULL);


--
-- Name: workflow_status_created_at_index; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX workflow_status_created_at_index ON dbos.workflow_status USING btree (created_at);


--
-- Name: accounts_by_customer; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX accounts_by_customer ON enfilade.accounts USING btree (customer_id);


--
-- Name: audit_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX audit_by_correlation ON enfilade.audit USING btree (correlation_id);


--
-- Name: crossrefs_by_id; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX crossrefs_by_id ON enfilade.crossrefs USING btree (id);


--
-- Name: due_next; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX due_next ON enfilade.due USING btree (due_at) WHERE (breached_at IS NULL);


--
-- Name: engagements_by_account; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX engagements_by_account ON enfilade.engagements USING btree (instance, account_id);


--
-- Name: events_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX events_by_correlation ON enfilade.events USING btree (correlation_id);


--
-- Name: events_unplaced; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX events_unplaced ON enfilade.events USING btree (number) WHERE ("position" IS NULL);


--
-- Name: exceptions_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX exceptions_by_correlation ON enfilade.exceptions USING btree (correlation_id);


--
-- Name: exceptions_oldest; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX exceptions_oldest ON enfilade.exceptions USING btree (status, raised_at, id);


--
-- Name: idempotency_keys_by_expiry; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX idempotency_keys_by_expiry ON enfilade.idempotency_keys USING btree (expires_at);


--
-- Name: inbox_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX inbox_by_correlation ON enfilade.inbox USING btree (correlation_id);


--
-- Name: inbox_waiting; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX inbox_waiting ON enfilade.inbox USING btree (key, seq) WHERE (status = ANY (ARRAY['new'::text, 'parked'::text]));


--
-- Name: runs_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX runs_by_correlation ON enfilade.runs USING btree (correlation_id);


--
-- Name: runs_by_input; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX runs_by_input ON enfilade.runs USING gin (input jsonb_path_ops);


--
-- Name: runs_newest; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX runs_newest ON enfilade.runs USING btree (flow, started_at DESC, id DESC);


--
-- Name: runs_unfinished; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX runs_unfinished ON enfilade.runs USING btree (status) WHERE (finished_at IS NULL);


--
-- Name: steps_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX steps_by_correlation ON enfilade.steps USING btree (correlation_id);


--
-- Name: vendor_calls_by_correlation; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX vendor_calls_by_correlation ON enfilade.vendor_calls USING btree (correlation_id);


--
-- Name: vendor_calls_by_workflow; Type: INDEX; Schema: enfilade; Owner: -
--

CREATE INDEX vendor_calls_by_workflow ON enfilade.vendor_calls USING btree (workflow_id);


--
-- Name: notifications dbos_notifications_trigger; Type: TRIGGER; Schema: dbos; Owner: -
--

CREATE TRIGGER dbos_notifications_trigger AFTER INSERT ON dbos.notifications FOR EACH ROW EXECUTE FUNCTION dbos.notifications_function();


--
-- Name: notifications notifications_destination_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_destination_uuid_fkey FOREIGN KEY (destination_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: streams streams_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events_history workflow_events_history_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events workflow_events_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

\unrestrict release

