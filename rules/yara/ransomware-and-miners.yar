/*
   What extortion and coin mining leave on disk: notes, pool settings, command lines.
*/

rule RANSOM_Note_Text : RANSOM T1486 {
   meta:
      description = "Text that announces encrypted files and asks the reader to get in touch or pay"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1486/"
      score = 75
      id = "464794c7-d287-5440-bc02-61e237d90abd"
   strings:
      $state1 = /(all )?(of )?your (important )?(files|data|documents|servers?|network)[^\r\n.]{0,60} (have been|has been|are|were|was) (now )?(encrypted|locked|stolen)/ ascii wide nocase
      $state2 = "files have been encrypted" ascii wide nocase
      $pay1 = "bitcoin" ascii wide nocase
      $pay2 = "monero" ascii wide nocase
      $pay3 = "decryption key" ascii wide nocase
      $pay4 = /decrypt(or|ion tool|ion software)/ ascii wide nocase
      $way1 = "tor browser" ascii wide nocase
      $way2 = /[a-z2-7]{16,56}\.onion/ ascii wide nocase
      $way3 = /(personal|unique|your) (id|identifier|key)[ ]{0,4}[:=]/ ascii wide nocase
      $way4 = "protonmail" ascii wide nocase
      $threat1 = /do not (rename|modify|try to decrypt|use third)/ ascii wide nocase
      $threat2 = /(publish|leak|sell) (your|the stolen|all) (data|files)/ ascii wide nocase
      $threat3 = /price will (double|be doubled|increase)/ ascii wide nocase
   condition:
      filesize < 100KB and uint16be(0) != 0x4D5A and any of ($state*) and any of ($pay*) and any of ($way*) and any of ($threat*)
}

rule RANSOM_Note_Chat_Portal : RANSOM T1486 {
   meta:
      description = "Short text with a hidden-service chat address, a login key and talk of leaked data"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1486/"
      score = 65
      id = "c0827321-311f-527a-9daa-b355c4ae2673"
   strings:
      $onion = /[a-z2-7]{56}\.onion/
      $chat = /(chat|log ?in|support|negotiat)/ nocase
      $data = /(leak|publish|breach|exfiltrat|download)ed? [^\r\n]{0,40}(data|files|network|documents)/ nocase
      $pay = /(ransom|payment|deal|decrypt)/ nocase
   condition:
      filesize < 20KB and all of them
}

rule MINER_Pool_Settings_JSON : MINER T1496 {
   meta:
      description = "Settings file of a CPU coin miner with a pool address"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1496/"
      score = 70
      id = "985bbc87-1ce9-5102-8867-b38f0c0972f4"
   strings:
      $pools = "\"pools\""
      $donate = "\"donate-level\""
      $algo = /"(algo|coin)"[ \t]{0,4}:/
      $url = /"url"[ \t]{0,4}:[ \t]{0,4}"[^"\r\n]{4,120}:[0-9]{2,5}"/
      $user = /"user"[ \t]{0,4}:[ \t]{0,4}"/
      $threads = /"(huge-pages|randomx|max-threads-hint|rig-id)"/
   condition:
      filesize < 200KB and $pools and $donate and $url and $user and any of ($algo, $threads)
}

rule MINER_Command_Line : MINER T1496 {
   meta:
      description = "Command line of a coin miner with pool and wallet"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1496/"
      score = 65
      id = "079255f8-4d56-5ef0-9e6c-cde703c69c5d"
   strings:
      $a = /(-o|--url|-P)[ =]{1,2}["']?stratum\d?\+(tcp|ssl|tls):\/\/[^\s"']{4,120}["']?[ \t][^\r\n]{0,60}(-u|--user|-p)[ =]/
      $b = /stratum\d?\+(tcp|ssl|tls):\/\/[^\s@"']{20,160}@[^\s"']{4,80}:[0-9]{2,5}/
   condition:
      filesize < 5MB and uint16be(0) != 0x4D5A and uint32be(0) != 0x7F454C46 and any of them
}
