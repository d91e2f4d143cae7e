/*
   Unix scripts and configuration: cron, SSH and service persistence, download-and-run lines, cleaning of traces.
*/

rule SUSP_Cron_Download_To_Shell : SUSP LINUX PERSISTENCE T1053_003 {
   meta:
      description = "Crontab entry fetches a script and pipes it into a shell"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1053/003/"
      score = 75
      id = "40f7ce6f-bee4-5430-883b-13d1bcbdaf69"
   strings:
      $a = /(^|\n)[ \t]{0,4}(@(reboot|hourly|daily|weekly)|[0-9*,\/-]{1,12}[ \t]{1,4}[0-9*,\/-]{1,12}[ \t]{1,4}[0-9*,\/-]{1,12}[ \t]{1,4}[0-9a-zA-Z*,\/-]{1,12}[ \t]{1,4}[0-9a-zA-Z*,\/-]{1,12})[ \t][^\r\n#]{0,100}(curl|wget)[ \t][^\r\n]{0,200}\|[ \t]{0,4}(\/bin\/)?(ba|da|z)?sh\b/
   condition:
      filesize < 1MB and $a
}

rule SUSP_Shell_Download_From_Address : SUSP LINUX T1059_004 T1105 {
   meta:
      description = "Script from a bare network address is piped into an interpreter"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 60
      id = "0308cdab-4d10-5dd4-93de-9b591ac3a2a7"
   strings:
      $a = /(curl|wget)[ \t][^\r\n|]{0,80}https?:\/\/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[:\/][^\r\n|]{0,120}\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/bin\/)?((ba|da|z)?sh|python3?|perl)\b/
   condition:
      filesize < 2MB and $a
}

rule SUSP_Shell_Fetch_Chmod_Run_In_Temp : SUSP LINUX T1059_004 T1222_002 {
   meta:
      description = "Fetches a file into a temporary folder, makes it executable and starts it, in one line"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 65
      id = "4ffdb61a-69a2-5b9d-be3b-fac6501be43b"
   strings:
      $a = /(curl|wget|tftp)[ \t][^\r\n]{1,200}[;&]{1,2}[ \t]{0,4}chmod[ \t]{1,4}(\+x|0?7[0-7]{2}|a\+x|u\+x)[ \t]{1,4}[^\r\n;&]{1,80}[;&]{1,2}[ \t]{0,4}(sh[ \t]{1,4}|nohup[ \t]{1,4})?(\.\/|\/tmp\/|\/var\/tmp\/|\/dev\/shm\/)/
      $temp1 = "/tmp"
      $temp2 = "/dev/shm"
   condition:
      filesize < 2MB and $a and any of ($temp*)
}

rule SUSP_SSH_Key_Appended_By_Script : SUSP LINUX PERSISTENCE T1098_004 {
   meta:
      description = "Script adds its own public key to an account"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1098/004/"
      score = 60
      id = "8c0718b7-6fbb-5fd0-990a-6ed5eaff1540"
   strings:
      $a = /echo[ \t]{1,4}(-e[ \t]{1,4})?["']?(\\n)?(ssh-(rsa|ed25519)|ecdsa-sha2-nistp256)[ \t]{1,4}AAAA[A-Za-z0-9+\/=]{20,1000}[^\r\n]{0,80}>>?[ \t]{0,4}["']?[^\s;&|"']{0,80}authorized_keys/
   condition:
      filesize < 1MB and $a
}

rule SUSP_SSH_Key_With_Hidden_Command : SUSP LINUX PERSISTENCE T1098_004 {
   meta:
      description = "Public key entry whose forced command fetches code or opens a shell"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1098/004/"
      score = 75
      id = "c4abc137-f1a7-5874-ba9c-b03b316b95d3"
   strings:
      $a = /command="[^"\r\n]{0,120}(\/dev\/tcp\/|curl[ \t]|wget[ \t]|base64[ \t]{1,4}-d|\bnc[ \t]|python3?[ \t]{1,4}-c)[^\r\n]{0,400}(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521))[ \t]{1,4}AAAA/
   condition:
      filesize < 1MB and $a
}

rule SUSP_Preload_Library_Written : SUSP LINUX PERSISTENCE T1574_006 {
   meta:
      description = "Script registers a library that every program then loads"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1574/006/"
      score = 70
      id = "72deb5c0-9663-53d2-a296-23de897fcb5a"
   strings:
      $a = /(echo|printf)[ \t][^\r\n>]{1,120}\.so[^\r\n>]{0,20}>{1,2}[ \t]{0,4}["']?\/etc\/ld\.so\.preload/
      $b = /(cp|mv|tee)[ \t][^\r\n]{0,80}\/etc\/ld\.so\.preload/
   condition:
      filesize < 1MB and any of them
}

rule SUSP_Service_Unit_In_Temp : SUSP LINUX PERSISTENCE T1543_002 {
   meta:
      description = "Service unit starts a program from a folder anyone can write, or a download line"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1543/002/"
      score = 65
      id = "522d0b37-e3d5-57ca-acce-a075104248a3"
   strings:
      $unit = "[Service]"
      $a = /\nExec(Start|StartPre|StartPost|Stop)=[-+!@:]{0,2}(\/tmp\/|\/var\/tmp\/|\/dev\/shm\/)/
      $b = /\nExec(Start|StartPre|StartPost)=[^\r\n]{0,60}(ba)?sh[ \t]{1,4}-c[ \t][^\r\n]{0,80}(curl|wget)[ \t][^\r\n]{1,160}\|[ \t]{0,4}(ba)?sh\b/
   condition:
      filesize < 64KB and $unit and any of ($a, $b)
}

rule SUSP_Shell_Trace_Cleaning : SUSP LINUX T1070_002 T1070_003 {
   meta:
      description = "Script silences the command history and empties logs"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1070/002/"
      score = 60
      id = "71d446e4-f73c-57ce-9afb-8fc026d171e2"
   strings:
      $h1 = /unset[ \t]{1,4}HIST(FILE|SIZE|ORY|SAVE)/
      $h2 = /export[ \t]{1,4}HISTFILE=\/dev\/null/
      $h3 = /history[ \t]{1,4}-c\b/
      $h4 = /ln[ \t]{1,4}-s[f]?[ \t]{1,4}\/dev\/null[ \t]{1,4}[^\r\n]{0,40}\.bash_history/
      $l1 = /(echo[ \t]{0,4}(""|''|-n)?[ \t]{0,4}|cat[ \t]{1,4}\/dev\/null[ \t]{0,4}|:[ \t]{0,2}|;[ \t]{0,2})>[ \t]{0,4}\/var\/log\/(wtmp|btmp|lastlog|auth\.log|secure|messages|syslog|utmp)/
      $l2 = /(rm[ \t]{1,4}-r?f[r]?|shred[ \t][^\r\n]{0,20})[ \t]{0,4}\/var\/log\/(\*|wtmp|auth\.log|secure|messages|syslog|audit)/
   condition:
      filesize < 1MB and any of ($h*) and any of ($l*)
}

rule SUSP_Shell_Encoded_Payload_Run : SUSP LINUX T1027 T1140 {
   meta:
      description = "Encoded text is decoded and piped into an interpreter"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/"
      score = 60
      id = "30510d79-54de-5e10-8eea-ee349c3816ca"
   strings:
      $a = /echo[ \t]{1,4}(-n[ \t]{1,4})?["']?[A-Za-z0-9+\/]{40,4000}={0,2}["']?[ \t]{0,4}\|[ \t]{0,4}base64[ \t]{1,4}(-d|-D|--decode)[ \t]{0,4}\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/bin\/)?((ba|da|z)?sh|python3?|perl)\b/
      $b = /exec[ \t]{0,4}\([ \t]{0,4}(__import__[ \t]{0,4}\([ \t]{0,4}["'](base64|zlib|marshal)["'][ \t]{0,4}\)|base64|zlib|marshal)\.(b64decode|decompress|loads)[ \t]{0,4}\(/
   condition:
      filesize < 2MB and any of them
}

rule SUSP_Shell_Setuid_Shell_Copy : SUSP LINUX T1548_001 {
   meta:
      description = "Script copies a shell and gives the copy the set-user-id bit"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1548/001/"
      score = 70
      id = "356f1723-bba7-5c01-ae8f-e48041aff96d"
   strings:
      $copy = /cp[ \t]{1,4}(-[a-z]{1,4}[ \t]{1,4})?\/bin\/(ba|da|z)?sh[ \t]{1,4}\/[^\s;&]{3,80}/
      $suid = /chmod[ \t]{1,4}(u?\+s|[0-7]?[46][0-7]{3})[ \t]{1,4}\/[^\s;&]{3,80}/
   condition:
      filesize < 1MB and $copy and $suid
}

rule SUSP_Cryptominer_Installer : MINER LINUX T1496 {
   meta:
      description = "Shell script that stops rival miners and starts its own"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1496/"
      score = 75
      id = "18102d9f-3787-517a-a71b-e698e27581d9"
   strings:
      $k1 = /pkill[ \t]{1,4}-(9|f)[ \t][^\r\n]{0,40}(xmr|kinsing|kdevtmpfsi|minerd|cnrig|cryptonight)/
      $k2 = /grep[ \t][^\r\n]{0,60}(xmr|kinsing|kdevtmpfsi|minerd|cryptonight|:3333|:5555|:7777)[^\r\n]{0,100}xargs[ \t][^\r\n]{0,40}kill[ \t]{1,4}-9/
      $p1 = "stratum+tcp://"
      $p2 = "stratum+ssl://"
      $p3 = "--donate-level"
   condition:
      filesize < 1MB and any of ($k*) and any of ($p*)
}
