/*
   PowerShell that hides what it does: encoded commands, download cradles, in-memory loading, tampering with protection.
*/

rule SUSP_PS_Encoded_Command_Line : SUSP POWERSHELL T1059_001 T1027_010 {
   meta:
      description = "Command line starts PowerShell with a Base64 command"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 65
      id = "45030bc4-9952-521b-a281-fb3e3d6c59de"
   strings:
      $cmd = /(powershell|pwsh)(\.exe)?["']?[ \t][^\r\n]{0,150}[-\/]e(c|n|nc|nco|ncod|ncode|ncoded|ncodedc|ncodedco|ncodedcommand)?[ \t]{1,4}["']?[A-Za-z0-9+\/]{40}/ ascii wide nocase
   condition:
      filesize < 5MB and $cmd
}

rule SUSP_PS_Encoded_Command_Download : SUSP POWERSHELL T1059_001 T1027_010 T1105 {
   meta:
      description = "Base64 of UTF-16 text that fetches or decodes further code, as PowerShell's encoded commands carry it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 75
      id = "24b502a3-caf4-5da2-860a-f205925a2fc6"
   strings:
      $b1 = "DownloadString" wide base64
      $b2 = "DownloadFile" wide base64
      $b3 = "Net.WebClient" wide base64
      $b4 = "FromBase64String" wide base64
      $b5 = "Invoke-WebRequest" wide base64
      $b6 = "Invoke-Expression" wide base64
   condition:
      filesize < 5MB and uint16be(0) != 0x4D5A and any of them
}

rule SUSP_PS_Download_Cradle : SUSP POWERSHELL T1059_001 T1105 {
   meta:
      description = "PowerShell fetches a script and runs it without writing it to disk"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 75
      id = "935c3dd8-81cb-5df7-a6ba-b807708334fd"
   strings:
      $c1 = /\b(iex|invoke-expression)\b[^\r\n]{0,40}(new-object[ \t]{1,4}["']?(system\.)?net\.webclient["']?\)?)[^\r\n]{0,20}\.downloadstring/ ascii wide nocase
      $c2 = /(new-object[ \t]{1,4}(system\.)?net\.webclient\)?)\.downloadstring[^\r\n]{1,160}\|[ \t]{0,4}(iex|invoke-expression)\b/ ascii wide nocase
      $c3 = /\b(iwr|irm|invoke-webrequest|invoke-restmethod|curl|wget)[ \t][^\r\n|]{0,160}https?:\/\/[^\r\n|]{4,160}\|[ \t]{0,4}(iex|invoke-expression)\b/ ascii wide nocase
      $c4 = /\b(iex|invoke-expression)\b[ \t]{0,4}[("$&]{0,4}[ \t]{0,4}(iwr|irm|invoke-webrequest|invoke-restmethod)[ \t][^\r\n]{0,60}https?:\/\// ascii wide nocase
   condition:
      // manuals describe installers with the same line
      filesize < 5MB and any of them and not extension matches /^\.(md|rst|adoc)$/i
}

rule SUSP_PS_Hidden_Bypass_Start : SUSP POWERSHELL T1059_001 T1564_003 {
   meta:
      description = "PowerShell is started hidden, without profile and past the execution policy"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 55
      id = "292eb85d-ce22-52a8-bc4c-9768a6d4909f"
   strings:
      $line = /(powershell|pwsh)(\.exe)?["']?[ \t][^\r\n]{0,250}/ ascii wide nocase
      $hidden = /[-\/]w(i|in|ind|indow|indowstyle)?[ \t]{1,4}hidden\b/ ascii wide nocase
      $bypass = /[-\/](ep|ex|exec|executionpolicy)[ \t]{1,4}(bypass|unrestricted)\b/ ascii wide nocase
      $profile = /[-\/]nop(rofile)?\b/ ascii wide nocase
   condition:
      filesize < 1MB and $line and $hidden and $bypass and $profile
      and for any i in (1..#line) : ($hidden in (@line[i]..@line[i] + 300) and $bypass in (@line[i]..@line[i] + 300))
}

rule SUSP_PS_Load_Assembly_From_Text : SUSP POWERSHELL T1620 T1059_001 {
   meta:
      description = "PowerShell loads a .NET assembly out of Base64 or downloaded bytes"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1620/"
      score = 70
      id = "dbddcda7-6948-580b-a6b2-19f7c00696ef"
   strings:
      $load = /\[(system\.)?reflection\.assembly\]::load[ \t]{0,4}\(/ ascii wide nocase
      $in1 = /\[(system\.)?convert\]::frombase64string[ \t]{0,4}\(/ ascii wide nocase
      $in2 = ".DownloadData(" ascii wide nocase
      $in3 = "IO.Compression.DeflateStream" ascii wide nocase
      $in4 = "IO.Compression.GzipStream" ascii wide nocase
      $go = /\.(entrypoint\.)?invoke[ \t]{0,4}\(/ ascii wide nocase
   condition:
      filesize < 10MB and uint16be(0) != 0x4D5A and $load and $go and any of ($in*)
}

rule SUSP_PS_AMSI_Tampering : SUSP POWERSHELL T1562_001 {
   meta:
      description = "Script switches off the antimalware scan interface of its own process"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1562/001/"
      score = 85
      id = "54ea06a8-19c2-5a81-ae6e-b685f837fbde"
   strings:
      $field = "amsiInitFailed" ascii wide nocase
      $utils = "AmsiUtils" ascii wide nocase
      $set = /setvalue[ \t]{0,4}\([ \t]{0,4}\$null/ ascii wide nocase
      $buffer = "AmsiScanBuffer" ascii wide
      $protect = "VirtualProtect" ascii wide
      $copy = "Marshal]::Copy" ascii wide nocase
   condition:
      filesize < 2MB and uint16be(0) != 0x4D5A and (($field and ($set or $utils)) or ($buffer and $protect and $copy))
}

rule SUSP_PS_Shellcode_Runner : SUSP POWERSHELL T1055 T1059_001 {
   meta:
      description = "PowerShell reserves executable memory, copies bytes into it and starts a thread there"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1055/"
      score = 85
      id = "19f70966-5f94-5bb7-9ad1-68abb566f237"
   strings:
      $alloc = "VirtualAlloc" ascii wide nocase
      $copy = /\[(system\.)?(runtime\.)?(interopservices\.)?marshal\]::copy/ ascii wide nocase
      $thread1 = "CreateThread" ascii wide nocase
      $thread2 = "GetDelegateForFunctionPointer" ascii wide nocase
      $bytes = /\[byte\[\]\]/ ascii wide nocase
   condition:
      filesize < 5MB and uint16be(0) != 0x4D5A and $alloc and $copy and $bytes and any of ($thread*)
}

rule SUSP_PS_Defender_Weakened : SUSP POWERSHELL T1562_001 {
   meta:
      description = "Script turns off Defender protection or excludes wide places from it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1562/001/"
      score = 60
      id = "b7b4c034-a301-561e-aa93-926b2c25623a"
   strings:
      $off = /set-mppreference[ \t][^\r\n]{0,100}-disable(realtimemonitoring|behaviormonitoring|ioavprotection|scriptscanning|blockatfirstseen)[ \t:]{1,4}(\$true|1|true)/ ascii wide nocase
      $exclude = /add-mppreference[ \t]{1,4}-exclusion(path|extension)[ \t]{1,4}["']?([a-z]:\\["'\r\n ]|[a-z]:\\(users|programdata|windows\\temp)|\$env:(temp|tmp|appdata|public|programdata)|\.?(exe|ps1|dll)\b)/ ascii wide nocase
   condition:
      filesize < 2MB and uint16be(0) != 0x4D5A and any of them
}

rule SUSP_PS_Character_Assembly : SUSP POWERSHELL T1027 {
   meta:
      description = "PowerShell spells out its code from character numbers or shuffled pieces"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/"
      score = 50
      id = "6da2ca23-4c15-582d-b3e8-6af5759f1483"
   strings:
      $char = /\[char\][ \t]{0,2}(0x[0-9a-f]{2}|[0-9]{2,3})[ \t]{0,4}\+/ ascii wide nocase
      $pieces = /\(["'](\{[0-9]{1,2}\}){5,40}["'][ \t]{0,4}-f[ \t]{0,4}["']/ ascii wide nocase
      $ticks = /\b(invoke`-|in`voke|n`ew-o|new`-obj|down`load)/ ascii wide nocase
   condition:
      filesize < 2MB and (#char > 15 or #pieces > 1 or $ticks)
}
