/*
   Keyword rules (file name tag `keyword`): judged on the text form of every record, whatever its kind.
*/

rule KEYWORD_Encoded_PowerShell_Start : SUSP POWERSHELL T1059_001 T1027_010 {
   meta:
      description = "Record mentions PowerShell started with a Base64 command"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 65
      id = "d57aa37a-df85-5b7e-b9a9-b7dcb5505210"
   strings:
      $a = /(powershell|pwsh)(\.exe)?["']?[ ][^\r\n]{0,150}[-\/]e(c|n|nc|nco|ncod|ncode|ncoded|ncodedcommand)?[ ]{1,4}["']?[A-Za-z0-9+\/]{40}/ nocase
   condition:
      $a
}

rule KEYWORD_Shell_Over_Network_Device : SUSP REVSHELL T1059_004 {
   meta:
      description = "Record mentions a shell tied to bash's network pseudo device"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 80
      id = "5ffceb55-c22b-5974-b96f-21e4b6268e2a"
   strings:
      $a = /(sh[ ]{1,4}-i|exec|<&|>&)[^\r\n]{0,40}\/dev\/(tcp|udp)\/[^\s]{3,60}\/[0-9]{1,5}/
   condition:
      $a
}

rule KEYWORD_Download_Piped_To_Shell : SUSP LINUX T1059_004 T1105 {
   meta:
      description = "Record mentions a download from a bare address piped into an interpreter"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 60
      id = "89266bc2-4ca5-5088-9b18-f0d972ffea09"
   strings:
      $a = /(curl|wget)[ ][^\r\n|]{0,80}https?:\/\/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[:\/][^\r\n|]{0,120}\|[ ]{0,4}(sudo[ ]{1,4})?(\/bin\/)?((ba|da|z)?sh|python3?|perl)\b/
   condition:
      $a
}

rule KEYWORD_LSASS_Memory_Dump_Command : HKTL T1003_001 {
   meta:
      description = "Record mentions a command that dumps the security authority's memory"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 80
      id = "8e7a3ebc-051e-5023-a7ca-e3983684048c"
   strings:
      $a = /comsvcs(\.dll)?["']?[ ,]{1,4}["']?(#\+?0{0,4}24|minidump)\b/ nocase
      $b = /procdump(64)?(\.exe)?["']?[ ][^\r\n]{0,60}-ma[ ][^\r\n]{0,40}lsass/ nocase
   condition:
      any of them
}
