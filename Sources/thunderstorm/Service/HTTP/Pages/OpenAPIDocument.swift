/// The description of the API as `/api/v1/openapi.yaml` serves it.
///
/// `docs/openapi.yaml` keeps it for readers; a test holds the two together. One literal makes this file so long.
enum OpenAPIDocument {
    static let text = #"""
        openapi: 3.0.3
        info:
          title: Thunderstorm
          description: |
            Receives file samples, scans each with YARA, IOCs, Sigma and forensic parsers, and answers with scored findings.
            Clients of THOR Thunderstorm work unchanged. The legacy API under `/api` answers in the shape of the THOR 10
            generation, the API under `/api/v1` with jsonlog v3 findings. Every answer of the API is JSON, errors included.
          version: 0.1.0
        servers:
          - url: /
        tags:
          - name: samples
            description: Sending samples and fetching results.
          - name: service
            description: How the service is doing.
        paths:
          /api/v1/check:
            post:
              tags: [samples]
              operationId: check
              summary: Scans a sample and answers with its findings.
              parameters:
                - $ref: '#/components/parameters/source'
                - $ref: '#/components/parameters/pretty'
              requestBody:
                $ref: '#/components/requestBodies/Sample'
              responses:
                '200':
                  description: Findings, the sample's own first; an empty array when nothing was found.
                  content:
                    application/json:
                      schema:
                        type: array
                        items:
                          $ref: '#/components/schemas/Finding'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '413':
                  $ref: '#/components/responses/TooLarge'
                '500':
                  $ref: '#/components/responses/Failed'
                '503':
                  $ref: '#/components/responses/Busy'
          /api/v1/checkAsync:
            post:
              tags: [samples]
              operationId: checkAsync
              summary: Queues a sample and answers at once with an id.
              parameters:
                - $ref: '#/components/parameters/source'
                - $ref: '#/components/parameters/pretty'
              requestBody:
                $ref: '#/components/requestBodies/Sample'
              responses:
                '200':
                  description: The sample is in the queue.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/SampleID'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '413':
                  $ref: '#/components/responses/TooLarge'
                '500':
                  $ref: '#/components/responses/Failed'
                '503':
                  $ref: '#/components/responses/Busy'
          /api/v1/getAsyncResults:
            get:
              tags: [samples]
              operationId: getAsyncResults
              summary: Tells what has become of a queued sample.
              parameters:
                - $ref: '#/components/parameters/id'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: The sample's status, with its findings once it is scanned.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [status]
                        properties:
                          status:
                            $ref: '#/components/schemas/SampleStatus'
                          result:
                            type: array
                            items:
                              $ref: '#/components/schemas/Finding'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/v1/status:
            get:
              tags: [service]
              operationId: status
              summary: Counters since the start of the service.
              parameters:
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: Counters of both API generations.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Status'
          /api/v1/info:
            get:
              tags: [service]
              operationId: info
              summary: Versions, and the signatures that are loaded.
              parameters:
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: What is running.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Info'
          /api/v1/queueHistory:
            get:
              tags: [service]
              operationId: queueHistory
              summary: Samples that were queued, by minute.
              parameters:
                - $ref: '#/components/parameters/aggregate'
                - $ref: '#/components/parameters/limit'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  $ref: '#/components/responses/History'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/v1/sampleHistory:
            get:
              tags: [service]
              operationId: sampleHistory
              summary: Samples that were scanned, by minute.
              parameters:
                - $ref: '#/components/parameters/aggregate'
                - $ref: '#/components/parameters/limit'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  $ref: '#/components/responses/History'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/v1/openapi.yaml:
            get:
              tags: [service]
              operationId: description
              summary: This description.
              responses:
                '200':
                  description: OpenAPI 3.0 in YAML.
                  content:
                    application/yaml:
                      schema:
                        type: string
          /api/check:
            post:
              tags: [samples]
              operationId: legacyCheck
              summary: Scans a sample and answers with its findings in the shape of the THOR 10 generation.
              parameters:
                - $ref: '#/components/parameters/source'
                - $ref: '#/components/parameters/pretty'
              requestBody:
                $ref: '#/components/requestBodies/Sample'
              responses:
                '200':
                  description: Findings; an empty array when nothing was found.
                  content:
                    application/json:
                      schema:
                        type: array
                        items:
                          $ref: '#/components/schemas/LegacyFinding'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '413':
                  $ref: '#/components/responses/TooLarge'
                '500':
                  $ref: '#/components/responses/Failed'
                '503':
                  $ref: '#/components/responses/Busy'
          /api/checkAsync:
            post:
              tags: [samples]
              operationId: legacyCheckAsync
              summary: Queues a sample and answers at once with an id.
              parameters:
                - $ref: '#/components/parameters/source'
                - $ref: '#/components/parameters/pretty'
              requestBody:
                $ref: '#/components/requestBodies/Sample'
              responses:
                '200':
                  description: The sample is in the queue.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/SampleID'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '413':
                  $ref: '#/components/responses/TooLarge'
                '500':
                  $ref: '#/components/responses/Failed'
                '503':
                  $ref: '#/components/responses/Busy'
          /api/getAsyncResults:
            get:
              tags: [samples]
              operationId: legacyGetAsyncResults
              summary: Tells what has become of a queued sample.
              parameters:
                - $ref: '#/components/parameters/id'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: The sample's status, with its findings once it is scanned.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [status]
                        properties:
                          status:
                            $ref: '#/components/schemas/SampleStatus'
                          result:
                            type: array
                            items:
                              $ref: '#/components/schemas/LegacyFinding'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/status:
            get:
              tags: [service]
              operationId: legacyStatus
              summary: Counters since the start of the service.
              parameters:
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: Counters of both API generations.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Status'
          /api/info:
            get:
              tags: [service]
              operationId: legacyInfo
              summary: Versions, and the signatures that are loaded.
              parameters:
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: What is running.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/LegacyInfo'
          /api/queueHistory:
            get:
              tags: [service]
              operationId: legacyQueueHistory
              summary: Samples that were queued, by minute.
              parameters:
                - $ref: '#/components/parameters/aggregate'
                - $ref: '#/components/parameters/limit'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  $ref: '#/components/responses/History'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/sampleHistory:
            get:
              tags: [service]
              operationId: legacySampleHistory
              summary: Samples that were scanned, by minute.
              parameters:
                - $ref: '#/components/parameters/aggregate'
                - $ref: '#/components/parameters/limit'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  $ref: '#/components/responses/History'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /api/deniedHistory:
            get:
              tags: [service]
              operationId: legacyDeniedHistory
              summary: Uploads that were refused for want of room, by minute.
              parameters:
                - $ref: '#/components/parameters/aggregate'
                - $ref: '#/components/parameters/limit'
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  $ref: '#/components/responses/History'
                '400':
                  $ref: '#/components/responses/BadRequest'
          /healthz:
            get:
              tags: [service]
              operationId: health
              summary: Tells whether the process answers.
              responses:
                '200':
                  description: It does.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [healthy]
                        properties:
                          healthy:
                            type: boolean
          /readyz:
            get:
              tags: [service]
              operationId: readiness
              summary: Tells whether samples are welcome.
              responses:
                '200':
                  description: Signatures are loaded, the queue and the disk have room.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [ready]
                        properties:
                          ready:
                            type: boolean
                '503':
                  $ref: '#/components/responses/Busy'
        components:
          parameters:
            source:
              name: source
              in: query
              description: Host that the sample is from; the key may be in any case. Without it the client's address is used.
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
                `invalid_aggregate`, `invalid_limit`.
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
            Failed:
              description: The request failed inside the service.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Error'
            Busy:
              description: |
                There is no room now. `reason` is one of `no_scan_slot`, `queue_full`, `disk_full`, `no_space`,
                `shutting_down`, `no_signatures`.
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
              required: [version, counts, problems]
              properties:
                version:
                  type: string
                  description: SHA-256 over all signature files.
                counts:
                  type: object
                  description: Signatures in use, by kind.
                  additionalProperties:
                    type: integer
                problems:
                  type: array
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
                issues:
                  type: array
                  items:
                    type: object
                log_version:
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
