// The built-in logsource map (REFERENCE C.7); `rules/sigma/mapping.yml` holds the same text for editing. Channel and
// provider names are those of the Windows event manifests.

let standardMapping = #"""
    mapping:
      # Windows event channels. A channel that several programs write to has no provider here: rules name it themselves.
      - logsource: {product: windows}
        records: [{type: eventlog entry}]
      - logsource: {product: windows, service: application}
        records: [{type: eventlog entry, channel: Application}]
      - logsource: {product: windows, service: security}
        records: [{type: eventlog entry, channel: Security}]
      - logsource: {product: windows, service: system}
        records: [{type: eventlog entry, channel: System}]
      - logsource: {product: windows, service: sysmon}
        records:
          - {type: eventlog entry, channel: Microsoft-Windows-Sysmon/Operational, provider: Microsoft-Windows-Sysmon}
      - logsource: {product: windows, service: powershell}
        records:
          - type: eventlog entry
            channel: [Microsoft-Windows-PowerShell/Operational, PowerShellCore/Operational]
            provider: [Microsoft-Windows-PowerShell, PowerShellCore]
      - logsource: {product: windows, service: powershell-classic}
        records: [{type: eventlog entry, channel: Windows PowerShell, provider: PowerShell}]
      - logsource: {product: windows, service: taskscheduler}
        records:
          - type: eventlog entry
            channel: Microsoft-Windows-TaskScheduler/Operational
            provider: Microsoft-Windows-TaskScheduler
      - logsource: {product: windows, service: wmi}
        records:
          - type: eventlog entry
            channel: Microsoft-Windows-WMI-Activity/Operational
            provider: Microsoft-Windows-WMI-Activity
      - logsource: {product: windows, service: ntlm}
        records: [{type: eventlog entry, channel: Microsoft-Windows-NTLM/Operational}]
      - logsource: {product: windows, service: dhcp}
        records: [{type: eventlog entry, channel: Microsoft-Windows-DHCP-Server/Operational}]
      - logsource: {product: windows, service: windefend}
        records:
          - type: eventlog entry
            channel: Microsoft-Windows-Windows Defender/Operational
            provider: Microsoft-Windows-Windows Defender
            fields: {ThreatName: Threat Name, NewValue: New Value, OldValue: Old Value, SourceName: Source Name}
      - logsource: {product: windows, service: printservice-admin}
        records: [{type: eventlog entry, channel: Microsoft-Windows-PrintService/Admin}]
      - logsource: {product: windows, service: printservice-operational}
        records: [{type: eventlog entry, channel: Microsoft-Windows-PrintService/Operational}]
      - logsource: {product: windows, service: smbclient-security}
        records: [{type: eventlog entry, channel: Microsoft-Windows-SmbClient/Security}]
      - logsource: {product: windows, service: smbclient-connectivity}
        records: [{type: eventlog entry, channel: Microsoft-Windows-SmbClient/Connectivity}]
      - logsource: {product: windows, service: smbserver-connectivity}
        records: [{type: eventlog entry, channel: Microsoft-Windows-SMBServer/Connectivity}]
      - logsource: {product: windows, service: terminalservices-localsessionmanager}
        records: [{type: eventlog entry, channel: Microsoft-Windows-TerminalServices-LocalSessionManager/Operational}]
      - logsource: {product: windows, service: codeintegrity-operational}
        records: [{type: eventlog entry, channel: Microsoft-Windows-CodeIntegrity/Operational}]
      - logsource: {product: windows, service: bits-client}
        records: [{type: eventlog entry, channel: Microsoft-Windows-Bits-Client/Operational}]
      - logsource: {product: windows, service: applocker}
        records:
          - type: eventlog entry
            channel:
              - Microsoft-Windows-AppLocker/MSI and Script
              - Microsoft-Windows-AppLocker/EXE and DLL
              - Microsoft-Windows-AppLocker/Packaged app-Deployment
              - Microsoft-Windows-AppLocker/Packaged app-Execution
      - logsource: {product: windows, service: firewall-as}
        records: [{type: eventlog entry, channel: Microsoft-Windows-Windows Firewall With Advanced Security/Firewall}]
      - logsource: {product: windows, service: security-mitigations}
        records:
          - type: eventlog entry
            channel:
              - Microsoft-Windows-Security-Mitigations/Kernel Mode
              - Microsoft-Windows-Security-Mitigations/User Mode
      - logsource: {product: windows, service: msexchange-management}
        records: [{type: eventlog entry, channel: MSExchange Management}]
      - logsource: {product: windows, service: openssh}
        records: [{type: eventlog entry, channel: OpenSSH/Operational}]
      - logsource: {product: windows, service: dns-server}
        records: [{type: eventlog entry, channel: DNS Server}]
      - logsource: {product: windows, service: dns-server-audit}
        records: [{type: eventlog entry, channel: Microsoft-Windows-DNSServer/Audit}]
      - logsource: {product: windows, service: dns-server-analytic}
        records: [{type: eventlog entry, channel: Microsoft-Windows-DNSServer/Analytical}]
      - logsource: {product: windows, service: driver-framework}
        records: [{type: eventlog entry, channel: Microsoft-Windows-DriverFrameworks-UserMode/Operational}]
      - logsource: {product: windows, service: diagnosis-scripted}
        records: [{type: eventlog entry, channel: Microsoft-Windows-Diagnosis-Scripted/Operational}]
      - logsource: {product: windows, service: shell-core}
        records: [{type: eventlog entry, channel: Microsoft-Windows-Shell-Core/Operational}]
      - logsource: {product: windows, service: vhdmp}
        records: [{type: eventlog entry, channel: Microsoft-Windows-VHDMP/Operational}]
      - logsource: {product: windows, service: appxdeployment-server}
        records: [{type: eventlog entry, channel: Microsoft-Windows-AppXDeploymentServer/Operational}]
      - logsource: {product: windows, service: ntfs}
        records: [{type: eventlog entry, channel: Microsoft-Windows-Ntfs/Operational}]
      - logsource: {product: windows, service: sense}
        records: [{type: eventlog entry, channel: Microsoft-Windows-SENSE/Operational}]
      - logsource: {product: windows, service: capi2}
        records: [{type: eventlog entry, channel: Microsoft-Windows-CAPI2/Operational}]
      - logsource: {product: windows, service: lsa-server}
        records: [{type: eventlog entry, channel: Microsoft-Windows-LSA/Operational}]
      - logsource: {product: windows, service: appxpackaging-om}
        records: [{type: eventlog entry, channel: Microsoft-Windows-AppxPackaging/Operational}]
      - logsource: {product: windows, service: dns-client}
        records: [{type: eventlog entry, channel: Microsoft-Windows-DNS Client Events/Operational}]
      - logsource: {product: windows, service: certificateservicesclient-lifecycle-system}
        records:
          - type: eventlog entry
            channel: Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational
      - logsource: {product: windows, service: ldap}
        records: [{type: eventlog entry, channel: Microsoft-Windows-LDAP-Client/Debug}]
      - logsource: {product: windows, service: bitlocker}
        records: [{type: eventlog entry, channel: Microsoft-Windows-BitLocker/BitLocker Management}]
      - logsource: {product: windows, service: appmodel-runtime}
        records: [{type: eventlog entry, channel: Microsoft-Windows-AppModel-Runtime/Admin}]
      - logsource: {product: windows, service: kernel-shimengine}
        records:
          - type: eventlog entry
            channel: [Microsoft-Windows-Kernel-ShimEngine/Operational, Microsoft-Windows-Kernel-ShimEngine/Diagnostic]
      - logsource: {product: windows, service: application-experience}
        records:
          - type: eventlog entry
            channel:
              - Microsoft-Windows-Application-Experience/Program-Telemetry
              - Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant
      - logsource: {product: windows, service: hyper-v-worker}
        records:
          - type: eventlog entry
            channel: [Microsoft-Windows-Hyper-V-Worker, Microsoft-Windows-Hyper-V-Worker-Admin]
      - logsource: {product: windows, service: kernel-event-tracing}
        records:
          - type: eventlog entry
            channel: [Microsoft-Windows-Kernel-EventTracing, Microsoft-Windows-Kernel-EventTracing/Admin]
      - logsource: {product: windows, service: iis-configuration}
        records: [{type: eventlog entry, channel: Microsoft-IIS-Configuration/Operational}]
      - logsource: {product: windows, service: servicebus-client}
        records:
          - type: eventlog entry
            channel: [Microsoft-ServiceBus-Client/Admin, Microsoft-ServiceBus-Client/Operational]
      - logsource: {product: windows, service: microsoft-servicebus-client}
        records:
          - type: eventlog entry
            channel: [Microsoft-ServiceBus-Client/Admin, Microsoft-ServiceBus-Client/Operational]

      # Generic categories as events of a service. Commands that run on their own are processes to come: rules about
      # processes look at them, too.
      - logsource: {product: windows, category: process_creation}
        records:
          - {service: sysmon, event: 1}
          - service: security
            provider: Microsoft-Windows-Security-Auditing
            event: 4688
            fields: {Image: NewProcessName, ParentImage: ParentProcessName, User: SubjectUserName}
          - {type: scheduled task, fields: {CommandLine: commands, Image: {program: commands}}}
          - {type: at job, fields: {CommandLine: command, Image: {program: command}}}
          - {type: Windows service, fields: {CommandLine: image, Image: {program: image}}}
          - {type: autorun entry, fields: {CommandLine: launch_string, Image: image}}
          - {type: registry scheduled task, fields: {CommandLine: commands, Image: {program: commands}}}
          - {type: link info, fields: {CommandLine: command_line, Image: target}}
      - logsource: {product: windows, category: file_change}
        records: [{service: sysmon, event: 2}]
      - logsource: {product: windows, category: network_connection}
        records: [{service: sysmon, event: 3}]
      - logsource: {product: windows, category: sysmon_status}
        records: [{service: sysmon, event: [4, 16]}]
      - logsource: {product: windows, category: process_termination}
        records: [{service: sysmon, event: 5}]
      - logsource: {product: windows, category: driver_load}
        records: [{service: sysmon, event: 6}]
      - logsource: {product: windows, category: image_load}
        records: [{service: sysmon, event: 7}]
      - logsource: {product: windows, category: create_remote_thread}
        records: [{service: sysmon, event: 8}]
      - logsource: {product: windows, category: raw_access_thread}
        records: [{service: sysmon, event: 9}]
      - logsource: {product: windows, category: process_access}
        records: [{service: sysmon, event: 10}]
      - logsource: {product: windows, category: file_event}
        records: [{service: sysmon, event: 11}]
      - logsource: {product: windows, category: registry_event}
        records:
          - {service: sysmon, event: [12, 13, 14]}
          - {type: registry value}
      - logsource: {product: windows, category: registry_add}
        records: [{service: sysmon, event: 12, where: {EventType: CreateKey}}]
      - logsource: {product: windows, category: registry_delete}
        records: [{service: sysmon, event: 12, where: {EventType: [DeleteKey, DeleteValue]}}]
      - logsource: {product: windows, category: registry_set}
        records:
          - {service: sysmon, event: 13}
          - {type: registry value}
      - logsource: {product: windows, category: registry_rename}
        records: [{service: sysmon, event: 14}]
      - logsource: {product: windows, category: create_stream_hash}
        records: [{service: sysmon, event: 15}]
      - logsource: {product: windows, category: pipe_created}
        records: [{service: sysmon, event: [17, 18]}]
      - logsource: {product: windows, category: wmi_event}
        records: [{service: sysmon, event: [19, 20, 21]}]
      - logsource: {product: windows, category: dns_query}
        records: [{service: sysmon, event: 22}]
      - logsource: {product: windows, category: file_delete}
        records: [{service: sysmon, event: 23}]
      - logsource: {product: windows, category: clipboard_change}
        records: [{service: sysmon, event: 24}]
      - logsource: {product: windows, category: process_tampering}
        records: [{service: sysmon, event: 25}]
      - logsource: {product: windows, category: file_delete_detected}
        records: [{service: sysmon, event: 26}]
      - logsource: {product: windows, category: file_block_executable}
        records: [{service: sysmon, event: 27}]
      - logsource: {product: windows, category: file_block_shredding}
        records: [{service: sysmon, event: 28}]
      - logsource: {product: windows, category: file_executable_detected}
        records: [{service: sysmon, event: 29}]
      - logsource: {product: windows, category: sysmon_error}
        records: [{service: sysmon, event: 255}]
      - logsource: {product: windows, category: ps_module}
        records: [{service: powershell, event: 4103}]
      - logsource: {product: windows, category: ps_script}
        records: [{service: powershell, event: 4104}]
      - logsource: {product: windows, category: ps_classic_start}
        records: [{service: powershell-classic, event: 400}]
      - logsource: {product: windows, category: ps_classic_provider_start}
        records: [{service: powershell-classic, event: 600}]
      - logsource: {product: windows, category: ps_classic_script}
        records: [{service: powershell-classic, event: 800}]
      - logsource: {category: antivirus}
        records:
          - service: windefend
            event: [1006, 1007, 1008, 1009, 1010, 1011, 1012, 1017, 1018, 1019, 1115, 1116]
            fields: {Signature: [ThreatName, Threat Name], Filename: Path}

      # Text logs.
      - logsource: {category: webserver}
        records:
          - {type: log line, form: access}
          - type: log line
            path: ['*/apache/*.log*', '*/apache2/*.log*', '*/httpd/*', '*/nginx/*.log*', '*/logfiles/w3svc*']
      - logsource: {service: apache}
        records:
          - {type: log line, form: access}
          - {type: log line, path: ['*/apache/*.log*', '*/apache2/*.log*', '*/httpd/*']}
      - logsource: {service: nginx}
        records:
          - {type: log line, form: access}
          - {type: log line, path: ['*/nginx/*.log*']}
      - logsource: {category: proxy}
        records: [{type: log line, form: proxy}]
      - logsource: {category: logfile}
        records: [{type: log line, path: ['*.log']}]
      - logsource: {category: appliance}
        records: [{type: log line, path: ['*.log']}]
      - logsource: {product: linux}
        records:
          - type: log line
            path: ['*/var/log/*', '*.log', 'messages*', 'syslog*', 'secure*', '*_history', '*.history']
          - {type: journal log entry}
      - logsource: {product: linux, service: auth}
        records: [{type: log line, path: ['auth.log*', 'secure*']}, {type: journal log entry}]
      - logsource: {product: linux, service: sshd}
        records:
          - {type: log line, path: ['auth.log*', 'secure*', 'sshd*', 'syslog*', 'messages*']}
          - {type: journal log entry}
      - logsource: {product: linux, service: sudo}
        records: [{type: log line, path: ['auth.log*', 'secure*', 'sudo*']}, {type: journal log entry}]
      - logsource: {product: linux, service: syslog}
        records: [{type: log line, path: ['syslog*', 'messages*']}, {type: journal log entry}]
      - logsource: {product: linux, service: cron}
        records: [{type: log line, path: ['cron*', 'syslog*']}, {type: journal log entry}, {type: cron job}]
      - logsource: {product: linux, service: clamav}
        records: [{type: log line, path: ['*clam*', 'syslog*', 'messages*']}]
      - logsource: {product: linux, service: vsftpd}
        records: [{type: log line, path: ['*vsftpd*', 'syslog*', 'messages*']}]
      - logsource: {product: linux, service: guacamole}
        records: [{type: log line, path: ['*guacamole*', '*catalina*', 'syslog*']}]
      - logsource: {product: linux, service: auditd}
        records: [{type: log line, form: audit}, {type: audit log entry}]
      - logsource: {product: linux, category: process_creation}
        records:
          - {type: cron job, fields: {CommandLine: command, Image: {unix-program: command}, User: user}}
          - {type: audit log entry, where: {type: EXECVE}, fields: {CommandLine: command_line, Image: exe}}
      - logsource: {product: macos, category: process_creation}
        records: [{type: cron job, fields: {CommandLine: command, Image: {unix-program: command}, User: user}}]
    """#
