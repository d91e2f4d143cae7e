/// The second half of the description of the API: parameters, answers and schemas that its paths refer to.
enum OpenAPIComponents {
    static let text = #"""
        components:
          securitySchemes:
            token:
              type: http
              scheme: bearer
              description: Needed when the service runs with `--server-tokens`.
          parameters:
            source:
              name: source
              in: query
              description: Host that the sample is from; the key may be in any case. Without it the client's address is used.
              schema:
                type: string
            scanID:
              name: scan_id
              in: query
              description: Id of the collection run that the sample belongs to, as `collection` answered it.
              schema:
                type: string
            pretty:
              name: pretty
              in: query
              description: Indents the answer.
              schema:
                type: boolean
                default: false
            id:
              name: id
              in: query
              required: true
              description: The number that checkAsync answered.
              schema:
                type: integer
                format: int64
                minimum: 1
            aggregate:
              name: aggregate
              in: query
              description: Minutes in one bucket.
              schema:
                type: integer
                minimum: 1
                maximum: 525600
                default: 1
            limit:
              name: limit
              in: query
              description: Only the last so many minutes; 0 for all.
              schema:
                type: integer
                minimum: 0
                maximum: 2147483647
                default: 0
          requestBodies:
            Sample:
              required: true
              description: |
                One part named `file`, whose file name is the sample's path on the machine it is from. Other parts are ignored.
              content:
                multipart/form-data:
                  schema:
                    type: object
                    required: [file]
                    properties:
                      file:
                        type: string
                        format: binary
          responses:
            BadRequest:
              description: |
                The request is not what it should be. `reason` is one of `no_multipart_body`, `missing_boundary`,
                `invalid_boundary`, `empty_body`, `boundary_not_found`, `part_header_too_large`, `no_file_part`,
                `multiple_files`, `truncated_body`, `malformed_request`, `missing_id`, `invalid_id`, `unknown_id`,
                `invalid_aggregate`, `invalid_limit`, `invalid_json`, `invalid_type`, `invalid_state`, `invalid_hash`,
                `invalid_level`, `invalid_since`, `invalid_until`, `invalid_before`.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            TooLarge:
              description: The sample or the form around it is larger than the limit; the connection is closed.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            Unauthorized:
              description: |
                The service asks for tokens and the request has no valid one. `reason` is one of `token_missing`,
                `token_invalid`, `token_expired`.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            Forbidden:
              description: The token does not have the scope that this needs; `reason` is `scope_missing`.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            TooSlow:
              description: The body came too slowly; the connection is closed. `reason` is `too_slow`.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            Failed:
              description: The request failed inside the service.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            Busy:
              description: |
                There is no room now. `reason` is one of `no_scan_slot`, `too_many_uploads`, `queue_full`, `disk_full`,
                `no_space`, `rate_limit`, `quota`, `shutting_down`, `no_signatures`, `upload_directory_gone`,
                `index_failed`.
              headers:
                Retry-After:
                  description: Seconds after which to try again.
                  schema:
                    type: integer
                    minimum: 1
                    maximum: 120
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            History:
              description: |
                Counts by the local time at which a bucket begins, as in `2026-01-02 15:04`; empty buckets are there too.
              content:
                application/json:
                  schema:
                    type: object
                    additionalProperties:
                      type: integer
          schemas:
            Marker:
              type: object
              required: [type]
              properties:
                type:
                  type: string
                  enum: [begin, end, interrupted]
                source:
                  type: string
                hostname:
                  type: string
                collector:
                  type: string
                  description: Name and version, as in `bash/0.5.0`.
                timestamp:
                  type: string
                scan_id:
                  type: string
                  description: The run that ends; not with begin.
                stats:
                  type: object
                  additionalProperties:
                    type: number
            Collection:
              type: object
              required: [scan_id, source, hostname, collector, state, silent, began, last_heard, received, scanned]
              properties:
                scan_id:
                  type: string
                source:
                  type: string
                hostname:
                  type: string
                collector:
                  type: string
                state:
                  type: string
                  enum: [running, ended, interrupted]
                silent:
                  type: boolean
                  description: It did not end, and nothing was heard of it for an hour.
                began:
                  type: string
                  format: date-time
                last_heard:
                  type: string
                  format: date-time
                ended:
                  type: string
                  format: date-time
                received:
                  type: integer
                received_bytes:
                  type: integer
                scanned:
                  type: integer
                failed:
                  type: integer
                alerts:
                  type: integer
                warnings:
                  type: integer
                notices:
                  type: integer
                reported:
                  type: object
                  description: What the collector counted, as it was sent.
                  additionalProperties:
                    type: number
            Error:
              type: object
              required: [message, reason]
              properties:
                message:
                  type: string
                  description: What happened and what to do.
                reason:
                  type: string
                  description: What happened, as a word for programs.
            SampleID:
              type: object
              required: [id]
              properties:
                id:
                  type: integer
                  format: int64
            SampleStatus:
              type: string
              enum:
                - Waiting for execution
                - Currently being scanned
                - Sample analysis complete
                - Sample analysis failed
            Status:
              type: object
              required:
                - scanned_samples
                - queued_async_requests
                - avg_scan_time_milliseconds
                - avg_wait_time_milliseconds
                - uptime_seconds
              properties:
                scanned_samples:
                  type: integer
                queued_async_requests:
                  type: integer
                avg_scan_time_milliseconds:
                  type: integer
                avg_wait_time_milliseconds:
                  type: integer
                avg_scan_time_ms:
                  type: integer
                avg_total_time_ms:
                  type: integer
                uptime_seconds:
                  type: integer
                uptime_s:
                  type: integer
                denied_requests:
                  type: integer
                denied_request_proportion:
                  type: number
                verdict_cache_hits:
                  type: integer
                  description: Samples whose verdict was known from an earlier scan of the same content.
                quota_waits:
                  type: integer
                quota_wait_time_ms:
                  type: integer
            Info:
              type: object
              required: [version_info, arguments, license_expiration, license_owner, scan_speed_limitation, threads]
              properties:
                version_info:
                  type: object
                  required: [thor, build, signatures, sigma]
                  properties:
                    thor:
                      type: string
                    build:
                      type: string
                    signatures:
                      type: string
                    sigma:
                      type: string
                arguments:
                  type: array
                  items:
                    type: string
                license_expiration:
                  type: string
                  format: date-time
                license_owner:
                  type: string
                scan_speed_limitation:
                  type: integer
                  description: Bytes a second, 0 for none.
                threads:
                  type: integer
                signatures:
                  $ref: '#/components/schemas/Signatures'
            LegacyInfo:
              type: object
              properties:
                allowed_samples_per_hour:
                  type: integer
                license_expiration_date:
                  type: string
                license_owner:
                  type: string
                  description: Who the token was given to.
                sigma_version:
                  type: string
                signature_version:
                  type: string
                thor_timestamp:
                  type: string
                thor_version:
                  type: string
                threads:
                  type: integer
                yara_version:
                  type: string
                signatures:
                  $ref: '#/components/schemas/Signatures'
            Signatures:
              type: object
              required: [version, loaded, age_seconds, counts, rejected, warnings, excluded, problems]
              properties:
                version:
                  type: string
                  description: SHA-256 over all signature files.
                loaded:
                  type: string
                  format: date-time
                age_seconds:
                  type: integer
                reload_failure:
                  type: object
                  description: Why the last attempt to load newer signatures failed; absent when there is none.
                  required: [time, message]
                  properties:
                    time:
                      type: string
                      format: date-time
                    message:
                      type: string
                counts:
                  type: object
                  description: Signatures in use, by kind.
                  additionalProperties:
                    type: integer
                rejected:
                  type: integer
                  description: Signatures, lines and files that were left out.
                warnings:
                  type: integer
                excluded:
                  type: array
                  description: What the user switched off, by name.
                  items:
                    type: string
                problems:
                  type: array
                  description: The first 200; `thunderstorm rules check` lists all of them.
                  items:
                    type: object
                    required: [file, message, rejected]
                    properties:
                      file:
                        type: string
                      line:
                        type: integer
                      message:
                        type: string
                      rejected:
                        type: boolean
                        description: Whether the signature was left out.
            Finding:
              type: object
              description: A jsonlog v3 finding.
              required: [type, meta, message, subject, score, log_version]
              properties:
                type:
                  type: string
                meta:
                  type: object
                  required: [time, level, module, scan_id, hostname]
                  properties:
                    time:
                      type: string
                      format: date-time
                    level:
                      $ref: '#/components/schemas/Level'
                    module:
                      type: string
                    scan_id:
                      type: string
                    hostname:
                      type: string
                message:
                  type: string
                subject:
                  type: object
                  description: The file or record; its `type` says which keys it has.
                score:
                  type: integer
                  minimum: 0
                  maximum: 100
                reasons:
                  type: array
                  nullable: true
                  items:
                    type: object
                reason_count:
                  type: integer
                context:
                  type: array
                  nullable: true
                  items:
                    type: object
                collection:
                  type: object
                  description: >-
                    The triage collection that it lay in. `meta.hostname` is then the host that was collected, if its name
                    is known, and `source` who sent the collection.
                  required: [collector, source]
                  properties:
                    collector:
                      type: string
                    host:
                      type: string
                    source:
                      type: string
                issues:
                  type: array
                  items:
                    type: object
                log_version:
                  type: string
            FindingSummary:
              type: object
              required: [id, time, level, score, source, scan_id, kind, name, summary, sha256, rules]
              properties:
                id:
                  type: integer
                  format: int64
                time:
                  type: string
                  format: date-time
                level:
                  $ref: '#/components/schemas/Level'
                score:
                  type: integer
                  minimum: 0
                  maximum: 100
                source:
                  type: string
                scan_id:
                  type: string
                kind:
                  type: string
                  description: What it is about, as in `file` or `eventlog entry`.
                name:
                  type: string
                  description: The path of the file, or the first fields of the record.
                summary:
                  type: string
                  description: The weightiest reason.
                sha256:
                  type: string
                  description: Of the file; empty for records.
                rules:
                  type: array
                  items:
                    type: string
            LegacyFinding:
              type: object
              required: [level, module, message, score, context, matches]
              properties:
                level:
                  $ref: '#/components/schemas/Level'
                module:
                  type: string
                message:
                  type: string
                score:
                  type: integer
                context:
                  type: object
                  properties:
                    file:
                      type: string
                    ext:
                      type: string
                    firstBytes:
                      type: string
                    md5:
                      type: string
                    sha1:
                      type: string
                    sha256:
                      type: string
                    size:
                      type: integer
                    type:
                      type: string
                matches:
                  type: array
                  items:
                    type: object
                    properties:
                      reason:
                        type: string
                      rulename:
                        type: string
                      subscore:
                        type: integer
                      ref:
                        type: string
                      ruledate:
                        type: string
                      tags:
                        type: array
                        items:
                          type: string
                      matched:
                        type: array
                        items:
                          type: string
            Level:
              type: string
              enum: [Debug, Info, Notice, Error, Warning, Alert]

        """#
}
