/*
   Registry rules (file name tag `registry`): judged on the text of one key, a line `KEYPATH;VALUENAME;VALUE` per value,
   the path without the name of the root key.
*/

rule REGISTRY_Autostart_Interpreter : PERSISTENCE T1547_001 {
   meta:
      description = "Autostart value that starts an interpreter with hidden, encoded or downloading arguments"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1547/001/"
      score = 75
      id = "40b6e6d4-259c-5fed-a933-a7c81f9a1d4d"
   strings:
      $a = /\\CurrentVersion\\(Policies\\Explorer\\)?Run(Once|OnceEx|Services)?;[^;\r\n]{0,100};[^\r\n]{0,60}(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|cmd)(\.exe)?["']?[ ][^\r\n]{0,200}(hidden|[-\/]enc?(odedcommand)?[ ]|https?:|javascript:|vbscript:|scrobj|frombase64string)/ nocase
   condition:
      $a
}

rule REGISTRY_Autostart_User_Writable_Place : PERSISTENCE T1547_001 {
   meta:
      description = "Autostart value for a program in a temporary or public folder"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1547/001/"
      score = 60
      id = "c486ea3d-125f-53b3-bbd3-b8e2ef1076af"
   strings:
      $a = /\\CurrentVersion\\Run(Once|OnceEx|Services)?;[^;\r\n]{0,100};["']?[a-z]:\\(Users\\Public|Windows\\Temp|PerfLogs|Users\\[^\\\r\n]{1,40}\\AppData\\Local\\Temp|ProgramData)\\[^\\\r\n]{1,60}\.(exe|dll|scr|com|pif|bat|cmd|vbs|js|hta|ps1)/ nocase
   condition:
      $a
}

rule REGISTRY_Accessibility_Debugger : PERSISTENCE T1546_008 T1546_012 {
   meta:
      description = "Debugger registered for a program that can be started from the logon screen"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1546/008/"
      score = 80
      id = "d88055bc-2d57-507a-870d-ac26a51430a8"
   strings:
      $a = /\\Image File Execution Options\\(sethc|utilman|osk|magnify|narrator|displayswitch|atbroker)\.exe;Debugger;[^\r\n]{3}/ nocase
   condition:
      $a
}

rule REGISTRY_Protection_Switched_Off : T1562_001 T1112 {
   meta:
      description = "Policy values that switch off Defender or keep clear-text logon passwords"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1562/001/"
      score = 65
      id = "b2c1abe5-a12c-5d5e-9e8f-0911320f07c1"
   strings:
      $a = /\\Windows Defender(\\Real-Time Protection)?;Disable(AntiSpyware|AntiVirus|RealtimeMonitoring|BehaviorMonitoring);1\b/ nocase
      $b = /\\SecurityProviders\\WDigest;UseLogonCredential;1\b/ nocase
   condition:
      any of them
}
