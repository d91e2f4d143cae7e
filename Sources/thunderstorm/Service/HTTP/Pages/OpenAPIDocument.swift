/// The description of the API as `/api/v1/openapi.yaml` serves it.
///
/// `docs/openapi.yaml` keeps it for readers; a test holds the two together. One literal makes this file so long; what
/// the paths refer to is in `OpenAPIComponents`.
enum OpenAPIDocument {
    static let text = paths + OpenAPIComponents.text

    private static let paths = #"""
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
        security:
          - {}
          - token: []
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
                - $ref: '#/components/parameters/scanID'
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
                '401':
                  $ref: '#/components/responses/Unauthorized'
                '403':
                  $ref: '#/components/responses/Forbidden'
                '408':
                  $ref: '#/components/responses/TooSlow'
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
                - $ref: '#/components/parameters/scanID'
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
                '401':
                  $ref: '#/components/responses/Unauthorized'
                '403':
                  $ref: '#/components/responses/Forbidden'
                '408':
                  $ref: '#/components/responses/TooSlow'
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
          /api/v1/collection:
            post:
              tags: [service]
              operationId: markCollection
              summary: A collector's run on a host begins, ends or was interrupted.
              requestBody:
                required: true
                content:
                  application/json:
                    schema:
                      $ref: '#/components/schemas/Marker'
              responses:
                '200':
                  description: The id of the run; collectors add it to their uploads as `scan_id`.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [scan_id, known]
                        properties:
                          scan_id:
                            type: string
                          known:
                            type: boolean
                          stats_left_out:
                            type: integer
                            description: Stats of the marker that were not kept; absent when all were.
                '400':
                  $ref: '#/components/responses/BadRequest'
            get:
              tags: [service]
              operationId: collections
              summary: Runs of collectors with what came of them, the newest first; one run when scan_id is given.
              parameters:
                - $ref: '#/components/parameters/scanID'
                - name: state
                  in: query
                  description: Only runs in this state; silent ones did not end and sent nothing for an hour.
                  schema:
                    type: string
                    enum: [running, ended, interrupted, silent]
                - name: limit
                  in: query
                  schema:
                    type: integer
                    minimum: 1
                    maximum: 1000
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: Runs, or one of them.
                  content:
                    application/json:
                      schema:
                        oneOf:
                          - type: array
                            items:
                              $ref: '#/components/schemas/Collection'
                          - $ref: '#/components/schemas/Collection'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '404':
                  description: No run has this `scan_id`, or it is forgotten (`unknown_scan_id`).
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Error'
          /api/v1/findings:
            get:
              tags: [samples]
              operationId: findings
              summary: Searches the findings that are kept, the newest first.
              description: |
                All parameters together decide. What goes from the store because of its age or number (`--findings-age`,
                `--findings-limit`) is in the logs still.
              parameters:
                - $ref: '#/components/parameters/source'
                - name: hash
                  in: query
                  description: MD5, SHA-1 or SHA-256 of the file, or of one that it was in.
                  schema:
                    type: string
                - name: rule
                  in: query
                  description: Name or id of a rule, or kind of a signature (`Hash IOC`), in any case.
                  schema:
                    type: string
                - name: scan
                  in: query
                  description: Scan id of a submission, as `meta` of its findings has it.
                  schema:
                    type: string
                - name: level
                  in: query
                  description: The lowest level.
                  schema:
                    $ref: '#/components/schemas/Level'
                - name: since
                  in: query
                  description: Found at this time or later; a date is its beginning, and a time without a zone is UTC.
                  schema:
                    type: string
                    format: date-time
                - name: until
                  in: query
                  description: Found before this time.
                  schema:
                    type: string
                    format: date-time
                - name: before
                  in: query
                  description: The `next` of the page before.
                  schema:
                    type: string
                - name: limit
                  in: query
                  schema:
                    type: integer
                    minimum: 1
                    maximum: 200
                    default: 50
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: A page of findings.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [findings, next, looked_back_to]
                        properties:
                          findings:
                            type: array
                            items:
                              $ref: '#/components/schemas/FindingSummary'
                          next:
                            type: string
                            nullable: true
                            description: What `before` of the next page is; null when there is none.
                          looked_back_to:
                            type: string
                            format: date-time
                            nullable: true
                            description: |
                              Set when the search stopped before its page was full: 5,000 findings back to this time were
                              looked at, and `next` goes on.
                '400':
                  $ref: '#/components/responses/BadRequest'
                '404':
                  description: This service keeps no findings (`no_findings_kept`).
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Error'
          /api/v1/findings/{id}:
            get:
              tags: [samples]
              operationId: finding
              summary: One finding with its reasons and matched text.
              parameters:
                - name: id
                  in: path
                  required: true
                  description: Its id in the list of findings.
                  schema:
                    type: integer
                    format: int64
                    minimum: 1
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: The finding. Texts beyond 64 KiB are left out, and one of its issues says so.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Finding'
                '400':
                  $ref: '#/components/responses/BadRequest'
                '404':
                  description: There is none with this id (any more) (`unknown_finding`).
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Error'
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
          /api/v1/signatures/reload:
            post:
              tags: [service]
              operationId: reloadSignatures
              summary: Loads the signatures anew and answers once they are in use; the old ones serve meanwhile.
              parameters:
                - $ref: '#/components/parameters/pretty'
              responses:
                '200':
                  description: The signatures that are in use now.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [signatures]
                        properties:
                          signatures:
                            $ref: '#/components/schemas/Signatures'
                '422':
                  description: They do not load (`signatures_not_loaded`); those that were loaded before stay in use.
                  content:
                    application/json:
                      schema:
                        $ref: '#/components/schemas/Error'
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
                        type: object
          /api/check:
            post:
              tags: [samples]
              operationId: legacyCheck
              summary: Scans a sample and answers with its findings in the shape of the THOR 10 generation.
              parameters:
                - $ref: '#/components/parameters/source'
                - $ref: '#/components/parameters/scanID'
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
                '401':
                  $ref: '#/components/responses/Unauthorized'
                '403':
                  $ref: '#/components/responses/Forbidden'
                '408':
                  $ref: '#/components/responses/TooSlow'
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
                - $ref: '#/components/parameters/scanID'
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
                '401':
                  $ref: '#/components/responses/Unauthorized'
                '403':
                  $ref: '#/components/responses/Forbidden'
                '408':
                  $ref: '#/components/responses/TooSlow'
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
          /metrics:
            get:
              tags: [service]
              operationId: metrics
              summary: Everything that is counted, in the text format of Prometheus.
              responses:
                '200':
                  description: The metrics.
                  content:
                    text/plain:
                      schema:
                        type: string
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

        """#
}
