/*
   Process rules (file name tag `process`): judged on process memory and memory dumps, never on ordinary files.
*/

rule PROCESS_Credential_Dumper_In_Memory : HKTL T1003_001 {
   meta:
      description = "Memory holds the command names of a well-known credential dumper"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 80
      id = "c4c1a70d-e39b-59b6-8a6c-a4d391b623d4"
      type = "memory"
   strings:
      $c1 = "sekurlsa::" ascii wide nocase
      $c2 = "lsadump::" ascii wide nocase
      $c3 = "kerberos::golden" ascii wide nocase
      $c4 = "privilege::debug" ascii wide nocase
      $c5 = "token::elevate" ascii wide nocase
   condition:
      3 of them
}

rule PROCESS_Beacon_Pipes_And_Loader : C2 T1055 T1071_001 {
   meta:
      description = "Memory holds default pipe names and format strings of a remote-control beacon"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1055/"
      score = 75
      id = "a637ad66-4129-537c-8287-9ee594e41587"
      type = "memory"
   strings:
      $p1 = "\\\\.\\pipe\\msagent_" ascii wide
      $p2 = "\\\\.\\pipe\\MSSE-" ascii wide
      $p3 = "\\\\%s\\pipe\\msagent_%x" ascii wide
      $f1 = "%s as %s\\%s: %d" ascii
      $f2 = "could not spawn %s (token): %d" ascii
      $f3 = "IEX (New-Object Net.Webclient).DownloadString('http://127.0.0.1:%u/')" ascii
   condition:
      (any of ($p*) and any of ($f*)) or 2 of ($f*)
}

rule PROCESS_Script_Cradle_In_Memory : POWERSHELL T1059_001 T1105 {
   meta:
      description = "Memory holds a one-line PowerShell download that is run at once"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 60
      id = "e76bf2be-d239-552e-957a-97883a292e78"
      type = "memory"
   strings:
      $a = /\b(iex|invoke-expression)\b[^\r\n\x00]{0,40}new-object[ ]{1,4}(system\.)?net\.webclient\)?\.downloadstring\([ ]{0,2}['"]https?:\/\// ascii nocase
      $b = /n\x00e\x00t\x00\.\x00w\x00e\x00b\x00c\x00l\x00i\x00e\x00n\x00t\x00\)\x00\.\x00d\x00o\x00w\x00n\x00l\x00o\x00a\x00d\x00s\x00t\x00r\x00i\x00n\x00g\x00\(\x00['"]\x00h\x00t\x00t\x00p\x00/ nocase
   condition:
      any of them
}
