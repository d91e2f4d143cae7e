/*
   Windows scripts and command lines: droppers, abuse of shipped tools, persistence, obstruction of recovery.
*/

rule SUSP_VBS_Download_And_Run : SUSP VBS T1059_005 T1105 {
   meta:
      description = "VBScript fetches a file over HTTP, saves it and starts it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/005/"
      score = 75
      id = "444c77a2-f30e-5d34-b9aa-97f3b2c4752f"
   strings:
      $http = /createobject[ \t]{0,4}\([ \t]{0,4}"(msxml2\.(server)?xmlhttp(\.[36]\.0)?|microsoft\.xmlhttp|winhttp\.winhttprequest\.5\.1)"/ ascii wide nocase
      $stream = /createobject[ \t]{0,4}\([ \t]{0,4}"adodb\.stream"/ ascii wide nocase
      $save = ".SaveToFile" ascii wide nocase
      $run1 = /createobject[ \t]{0,4}\([ \t]{0,4}"(wscript\.shell|shell\.application)"/ ascii wide nocase
      $run2 = /\.(run|shellexecute|exec)[ \t(]/ ascii wide nocase
   condition:
      filesize < 1MB and all of them
}

rule SUSP_JS_Download_And_Run : SUSP JS T1059_007 T1105 {
   meta:
      description = "Script for the Windows script host fetches a file over HTTP, saves it and starts it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/007/"
      score = 75
      id = "165c6f86-dc9b-5b1c-8c9f-90791ccb3581"
   strings:
      $http = /new[ \t]{1,4}ActiveXObject[ \t]{0,4}\([ \t]{0,4}["'](MSXML2\.(Server)?XMLHTTP(\.[36]\.0)?|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest\.5\.1)["']/ ascii wide nocase
      $stream = /new[ \t]{1,4}ActiveXObject[ \t]{0,4}\([ \t]{0,4}["']ADODB\.Stream["']/ ascii wide nocase
      $body = ".ResponseBody" ascii wide nocase
      $shell = /new[ \t]{1,4}ActiveXObject[ \t]{0,4}\([ \t]{0,4}["'](WScript\.Shell|Shell\.Application)["']/ ascii wide nocase
      $run = /\.(run|shellexecute|exec)[ \t]{0,2}\(/ ascii wide nocase
   condition:
      filesize < 1MB and $http and $stream and $body and $shell and $run
}

rule SUSP_HTA_Starts_Shell : SUSP HTA T1218_005 {
   meta:
      description = "HTML application that starts a command interpreter as soon as it opens"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1218/005/"
      score = 70
      id = "3d88906b-4542-5c95-9f6b-9d02b81ccbf4"
   strings:
      $hta = "<hta:application" ascii wide nocase
      $shell = "WScript.Shell" ascii wide nocase
      $run = /\.(run|exec)[ \t(]{1,4}["'][^"'\r\n]{0,60}(powershell|cmd(\.exe)?[ \t]{1,4}\/c|mshta|rundll32|regsvr32|certutil|bitsadmin)/ ascii wide nocase
   condition:
      filesize < 1MB and $shell and $run and ($hta or extension == ".hta")
}

rule SUSP_CMD_Certutil_Fetch : SUSP LOLBIN T1105 {
   meta:
      description = "The certificate tool is used to fetch a file"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1105/"
      score = 70
      id = "c2385e59-d8d5-52f7-9884-174eec27b780"
   strings:
      $a = /certutil(\.exe)?["']?[ \t][^\r\n]{0,80}[-\/](urlcache|verifyctl)[ \t][^\r\n]{0,60}(https?|ftp):\/\// ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_CMD_Certutil_Unpack_And_Run : SUSP LOLBIN T1140 {
   meta:
      description = "The certificate tool decodes a text into a program"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1140/"
      score = 60
      id = "03abf7bf-f136-5b7f-bbf6-2b11a738edd7"
   strings:
      $a = /certutil(\.exe)?["']?[ \t][^\r\n]{0,20}[-\/]decode(hex)?[ \t]{1,4}[^\r\n]{1,120}\.(exe|dll|scr|ps1|vbs|js|bat|cmd|hta)\b/ ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_CMD_Bitsadmin_Fetch_Program : SUSP LOLBIN T1197 {
   meta:
      description = "The background transfer tool fetches a program or script"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1197/"
      score = 60
      id = "c83306b2-c26a-5a59-87e6-684bfa0b5290"
   strings:
      $a = /bitsadmin(\.exe)?["']?[ \t][^\r\n]{0,60}\/(transfer|addfile)[ \t][^\r\n]{0,120}https?:\/\/[^\r\n]{4,200}\.(exe|dll|scr|ps1|vbs|js|bat|cmd|hta|dat|tmp)\b/ ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_CMD_Mshta_Inline_Or_Remote : SUSP LOLBIN T1218_005 {
   meta:
      description = "The HTML application host is given script text or a remote address"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1218/005/"
      score = 70
      id = "446bcfc7-6cde-5443-a039-f150e3bbc792"
   strings:
      $a = /mshta(\.exe)?["']?[ \t]{1,4}["']?(vbscript:|javascript:|about:["'<]|https?:\/\/)/ ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_CMD_Regsvr32_Remote_Scriptlet : SUSP LOLBIN T1218_010 {
   meta:
      description = "The DLL registration tool is pointed at a scriptlet"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1218/010/"
      score = 75
      id = "ae4139ef-63e0-59a2-a6c2-30b6ad99326d"
   strings:
      $a = /regsvr32(\.exe)?["']?[ \t][^\r\n]{0,60}[-\/]i:[^\r\n]{4,200}scrobj(\.dll)?/ ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_Scriptlet_Starts_Program : SUSP LOLBIN T1218_010 {
   meta:
      description = "Windows scriptlet whose registration block starts a program"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1218/010/"
      score = 70
      id = "12be138d-0d40-5682-baf7-4694adf4092d"
   strings:
      $head = "<scriptlet" nocase
      $reg = "<registration" nocase
      $shell = /ActiveXObject[ \t]{0,4}\([ \t]{0,4}["']WScript\.Shell["']|CreateObject[ \t]{0,4}\([ \t]{0,4}["']WScript\.Shell["']/ nocase
      $run = /\.(run|exec)[ \t]{0,2}[("]/ nocase
   condition:
      filesize < 200KB and all of them
}

rule SUSP_CMD_Rundll32_Script : SUSP LOLBIN T1218_011 {
   meta:
      description = "The DLL starter is given script text instead of a library"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1218/011/"
      score = 75
      id = "7daae541-d4a2-5f27-83a4-4c6f9a632702"
   strings:
      $a = /rundll32(\.exe)?["']?[ \t]{1,4}["']?(javascript|vbscript):/ ascii wide nocase
   condition:
      filesize < 5MB and $a
}

rule SUSP_CMD_Recovery_Obstruction : SUSP RANSOM T1490 {
   meta:
      description = "Script removes restore points, backups or boot recovery"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1490/"
      score = 80
      id = "33cdeb5c-29e5-5ef4-9cb9-fe816a4ec80b"
   strings:
      $a = /vssadmin(\.exe)?["']?[ \t]{1,4}delete[ \t]{1,4}shadows/ ascii wide nocase
      $b = /wmic(\.exe)?["']?[ \t]{1,4}shadowcopy[ \t]{1,4}delete/ ascii wide nocase
      $c = /wbadmin(\.exe)?["']?[ \t]{1,4}delete[ \t]{1,4}(catalog|systemstatebackup)/ ascii wide nocase
      $d = /bcdedit(\.exe)?["']?[ \t][^\r\n]{0,60}recoveryenabled[ \t]{1,4}no\b/ ascii wide nocase
      $e = /bcdedit(\.exe)?["']?[ \t][^\r\n]{0,60}bootstatuspolicy[ \t]{1,4}ignoreallfailures/ ascii wide nocase
      $f = /wevtutil(\.exe)?["']?[ \t]{1,4}(cl|clear-log)[ \t]/ ascii wide nocase
   condition:
      filesize < 5MB and 2 of them
}

rule SUSP_CMD_Task_From_User_Folder : SUSP PERSISTENCE T1053_005 {
   meta:
      description = "Scheduled task that starts a program from a folder any user can write"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1053/005/"
      score = 55
      id = "fa0d6226-5f06-5139-86d6-1c1247edd780"
   strings:
      $a = /schtasks(\.exe)?["']?[ \t][^\r\n]{0,200}\/create[^\r\n]{0,200}\/tr[ \t]{1,4}["'\\]{0,3}[^\r\n]{0,100}(\\temp\\|\\appdata\\|\\users\\public\\|%temp%|%appdata%|%public%|\\programdata\\|\\perflogs\\)/ ascii wide nocase
   condition:
      filesize < 2MB and $a
}

rule SUSP_CMD_Run_Key_From_User_Folder : SUSP PERSISTENCE T1547_001 {
   meta:
      description = "Autostart entry for a program in a folder any user can write"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1547/001/"
      score = 50
      id = "1d5356c2-5296-53d1-aa3a-81287eace760"
   strings:
      $a = /\breg(\.exe)?["']?[ \t]{1,4}add[ \t]{1,4}["']?(HKCU|HKLM|HKEY_[A-Z_]{10,20})\\software\\microsoft\\windows\\currentversion\\run(once)?["']?[ \t][^\r\n]{0,160}\/d[ \t]{1,4}[^\r\n]{0,100}(\\temp\\|\\appdata\\|\\users\\public\\|%temp%|%appdata%|%public%|\\programdata\\)/ ascii wide nocase
   condition:
      filesize < 2MB and $a
}

rule SUSP_CMD_Dump_Credentials : SUSP T1003_001 T1003_002 T1003_003 {
   meta:
      description = "Command line that dumps the security authority's memory, password hives or the domain database"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 80
      id = "db6c1f04-2a2f-53b6-a837-3cae4e861047"
   strings:
      $a = /comsvcs(\.dll)?["']?[ \t,]{1,4}["']?(#\+?0{0,4}24|minidump)\b/ ascii wide nocase
      $b = /procdump(64)?(\.exe)?["']?[ \t][^\r\n]{0,60}-ma[ \t][^\r\n]{0,40}lsass/ ascii wide nocase
      $c = /\breg(\.exe)?["']?[ \t]{1,4}(save|export)[ \t]{1,4}["']?(hklm|hkey_local_machine)\\(sam|security|system)["']?[ \t]/ ascii wide nocase
      $d = /ntdsutil(\.exe)?["']?[ \t][^\r\n]{0,60}(ac(tivate)?[ \t]{1,4}i(nstance)?[ \t]{1,4}ntds|ifm)/ ascii wide nocase
   condition:
      filesize < 5MB and uint16be(0) != 0x4D5A and ($a or $b or $d or #c > 1)
}
