Console.WriteLine("emu");
return args.Length;
